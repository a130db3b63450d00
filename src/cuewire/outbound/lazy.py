"""The transports, imported and made when they are first used: importing an HTTP client takes up to 150 ms of CPU."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine, Iterable
from typing import Any

from cuewire.outbound.proxies import Proxies
from cuewire.outbound.resolver import Names, Resolve
from cuewire.outbound.transport import HttpRequest, Response, Transport, origin_of

DEFAULT_CONNECTIONS = 1_000


def open_transport(
    *,
    origins: Iterable[str],
    proxies: Proxies | None = None,
    ca_file: str | None = None,
    connections: int = DEFAULT_CONNECTIONS,
    resolve: Resolve | None = None,
) -> Transport:
    """Return the transport of this process; nothing is imported or opened until the first request.

    `origins` are those that an operator has configured: they alone may be private addresses, and they alone go
    through `proxies`. `ca_file` is a PEM file of certificate authorities that takes the place of the system's.
    `connections` bounds each of the two pools; further calls wait.

    Configured origins without a proxy are called by `Http1Transport`, all others by `AiohttpTransport`.
    """
    known, resolve = frozenset(origins), resolve or Names()
    settings = proxies or Proxies()

    def make_direct() -> Transport:
        from cuewire.outbound.http1_transport import Http1Transport

        return Http1Transport(origins=known, ca_file=ca_file, connections=connections, resolve=resolve)

    def make_guarded() -> Transport:
        from cuewire.outbound.aiohttp_transport import AiohttpTransport

        return AiohttpTransport(
            origins=known, proxies=settings, ca_file=ca_file, connections=connections, resolve=resolve
        )

    direct = {origin for origin in known if settings.for_origin(origin) is None}
    return _LazyTransport(direct=direct, make_direct=make_direct, make_guarded=make_guarded)


class _LazyTransport:
    """Sends a request by the one transport or the other, as its origin asks."""

    def __init__(
        self, *, direct: Collection[str], make_direct: Callable[[], Transport], make_guarded: Callable[[], Transport]
    ) -> None:
        self._direct_origins = direct
        self._make_direct = make_direct
        self._make_guarded = make_guarded
        self._direct: Transport | None = None
        self._guarded: Transport | None = None

    def send(self, request: HttpRequest) -> Coroutine[Any, Any, Response]:
        if origin_of(request.url) in self._direct_origins:
            if self._direct is None:
                self._direct = self._make_direct()
            return self._direct.send(request)
        if self._guarded is None:
            self._guarded = self._make_guarded()
        return self._guarded.send(request)

    async def close(self) -> None:
        for transport in (self._direct, self._guarded):
            if transport is not None:
                await transport.close()
