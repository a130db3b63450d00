"""A transport that is imported and made when it is first used: importing an HTTP client takes 150 ms of CPU."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from cuewire.outbound.proxies import Proxies
from cuewire.outbound.transport import HttpRequest, Response, Transport

DEFAULT_CONNECTIONS = 1_000


def open_transport(
    *,
    origins: Iterable[str],
    proxies: Proxies | None = None,
    ca_file: str | None = None,
    connections: int = DEFAULT_CONNECTIONS,
) -> Transport:
    """Return the transport of this process; nothing is imported or opened until the first request.

    `origins` are those that an operator has configured: they alone may be private addresses, and they alone go
    through `proxies`. `ca_file` is a PEM file of certificate authorities that takes the place of the system's.
    `connections` bounds the pool; further calls wait.
    """

    def make() -> Transport:
        from cuewire.outbound.aiohttp_transport import AiohttpTransport

        return AiohttpTransport(origins=origins, proxies=proxies or Proxies(), ca_file=ca_file, connections=connections)

    return _LazyTransport(make)


class _LazyTransport:
    def __init__(self, make: Callable[[], Transport]) -> None:
        self._make = make
        self._transport: Transport | None = None

    def send(self, request: HttpRequest) -> Coroutine[Any, Any, Response]:
        if self._transport is None:
            self._transport = self._make()
        return self._transport.send(request)

    async def close(self) -> None:
        if self._transport is not None:
            await self._transport.close()
