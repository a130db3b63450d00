"""Addresses to listen on: whether one is free, and whether anyone listens by now."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

from cuewire.model.errors import ConfigError


def free_port(host: str, port: int) -> int:
    """Return the port if nobody listens there, or a free one for 0. Raises ConfigError.

    A server that shares its port would be taken for the one that was started before.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as error:
        raise ConfigError(
            f"nothing can listen at {host} port {port}: {error.strerror}", hint="name another with --port"
        ) from None


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
            writer.close()
            return
