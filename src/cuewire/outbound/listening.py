"""Addresses to listen on: whether one is free, and whether anyone listens by now."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from cuewire.model.errors import ConfigError


@contextmanager
def reserved(host: str, port: int) -> Iterator[int]:
    """Keep a port for a server that shares it (SO_REUSEPORT), a free one for 0. Raises ConfigError if it is taken.

    Looked at apart, because a server that shares its port with one that runs would be taken for it. Kept, because a
    port that is merely free may be given to any outgoing connection before the server has it.
    """
    try:
        kept = _kept(host, port)
    except OSError as error:
        raise ConfigError(
            f"nothing can listen at {host} port {port}: {error.strerror}", hint="name another with --port"
        ) from None
    with kept:
        yield int(kept.getsockname()[1])


def _kept(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
    kept = socket.socket(family, kind, protocol)
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if port:  # what was served there a moment ago is no obstacle
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        kept.bind(address)
    except OSError:
        kept.close()
        raise
    return kept


def is_loopback(host: str) -> bool:
    """Tell whether only programs of this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


async def until_listening(host: str, port: int) -> None:
    """Return when somebody listens there."""
    while True:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            is_own = writer.get_extra_info("sockname") == writer.get_extra_info("peername")
            writer.close()
            if not is_own:  # a connection may meet itself at a port where nobody listens
                return
