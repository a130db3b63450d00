"""A port is kept for the server until it listens, and never shared with one that runs."""

from __future__ import annotations

import asyncio
import socket

import pytest

from cuewire.model.errors import ConfigError
from cuewire.outbound.listening import reserved, until_listening

HOST = "127.0.0.1"


def sharing() -> socket.socket:
    """Return a socket as a server has it that shares its port."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


def test_a_free_port_is_kept_for_who_shares_it() -> None:
    with reserved(HOST, 0) as port:
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((HOST, port))
        with sharing() as server:
            server.bind((HOST, port))
            server.listen()
    with socket.socket() as other:
        other.bind((HOST, port))


def test_the_port_of_a_server_that_runs_is_refused_though_it_could_be_shared() -> None:
    with sharing() as server:
        server.bind((HOST, 0))
        server.listen()
        port = server.getsockname()[1]

        with pytest.raises(ConfigError, match=f"port {port}"), reserved(HOST, port):
            pass


def test_a_port_is_free_at_once_when_its_server_has_ended() -> None:
    with sharing() as server:
        server.bind((HOST, 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection((HOST, port)) as client:
            accepted, _ = server.accept()
            accepted.close()  # first, so that this end has to remember it for a minute
            assert client.recv(1) == b""

    with reserved(HOST, port) as kept, sharing() as next_one:
        next_one.bind((HOST, kept))
        next_one.listen()
        assert kept == port


async def test_the_first_connection_tells_that_somebody_listens() -> None:
    with reserved(HOST, 0) as port, sharing() as server:
        waiting = asyncio.create_task(until_listening(HOST, port))
        done, _ = await asyncio.wait([waiting], timeout=0.05)
        assert not done

        server.bind((HOST, port))
        server.listen()

        async with asyncio.timeout(3):
            await waiting
