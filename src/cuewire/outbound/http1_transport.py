"""The fast transport: HTTP/1.1 to configured origins without a proxy, for a quarter of the CPU that aiohttp needs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from cuewire.model.errors import InvalidInput, ProviderError, ProviderTimeout
from cuewire.model.values import Value
from cuewire.outbound.http1_connection import Connection, Http1Response
from cuewire.outbound.http1_pool import Pool
from cuewire.outbound.resolver import Names, Resolve
from cuewire.outbound.transport import HttpRequest, Response, check_headers, origin_of

_KEY = "Idempotency-Key"
"""The one header that differs from call to call; requests that differ in nothing else share a `_Head`."""
_REMEMBERED_HEADS = 512
_METHODS = re.compile(r"(?!CONNECT)[A-Z]+")
_URL_MARKS = "%/:?#[]@!$&'()*+,;=~"


class Http1Transport:
    """Implements the Transport port. To be used on one event loop, the one that runs when it is first called.

    Time limits may be up to 50 ms late. A server of which no operator knows is refused (InvalidInput).
    """

    def __init__(
        self,
        *,
        origins: Iterable[str],
        ca_file: str | None = None,
        connections: int = 1_000,
        resolve: Resolve | None = None,
    ) -> None:
        self._origins = frozenset(origins)
        self._ca_file = ca_file
        self._connections = connections
        self._resolve = resolve or Names()
        self._pool: Pool | None = None
        self._heads: dict[tuple[object, ...], _Head] = {}

    async def send(self, request: HttpRequest) -> Response:
        """Send the request."""
        headers = dict(request.headers)
        key = headers.pop(_KEY, None)
        recipe = (request.method, request.url, *headers.items())
        head = self._heads.get(recipe) or self._remember(recipe, headers)
        pool = self._pool or self._open_pool()
        total_at = asyncio.get_running_loop().time() + request.timeouts.total_s
        data = head.complete(key, request.body)
        connection = pool.take(head.origin) or await _acquire(pool, head, request, total_at)
        response = await _send_on(connection, data, request, total_at)
        if response.was_refused and (key is not None or head.is_repeatable):
            pool.drop(head.origin)  # what was idle even longer is no better
            try:
                connection = await _acquire(pool, head, request, total_at)
            except ProviderError as error:
                error.was_sent = True  # on the connection before
                raise
            response = await _send_on(connection, data, request, total_at)
        if response.error is not None and not response.status:
            raise response.error  # else it comes behind what had arrived of the body
        return response

    async def close(self) -> None:
        """Close all connections."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.close()

    def _open_pool(self) -> Pool:
        self._pool = Pool(limit=self._connections, resolve=self._resolve, ca_file=self._ca_file)
        return self._pool

    def _remember(self, recipe: tuple[object, ...], headers: dict[str, str]) -> _Head:
        head = _build_head(str(recipe[0]), str(recipe[1]), headers)
        if head.origin not in self._origins:
            raise InvalidInput(f"{head.origin} is not a configured origin", field="/url")
        if len(self._heads) >= _REMEMBERED_HEADS:
            self._heads.clear()
        self._heads[recipe] = head
        return head


class _Head(Value, frozen=True):
    """The part of a request's head that is the same in many calls."""

    origin: str
    start: bytes
    needs_length: bool
    is_repeatable: bool

    def complete(self, key: str | None, body: bytes) -> bytes:
        """Return the whole head, up to the body. Raises InvalidInput."""
        if key is None:
            start = self.start
        else:
            if not (key.isascii() and key.isprintable()):
                check_headers({_KEY: key})
            start = b"%b%b: %b\r\n" % (self.start, _KEY.encode(), key.encode())
        if body or self.needs_length:
            return b"%bContent-Length: %d\r\n\r\n" % (start, len(body))
        return start + b"\r\n"


def _build_head(method: str, url: str, headers: dict[str, str]) -> _Head:
    origin = origin_of(url)
    method = method.upper()
    if not _METHODS.fullmatch(method):
        raise InvalidInput(f"{method[:20]!r} is not a method that can be sent", field="/method")
    check_headers(headers)
    given = {name.lower() for name in headers}
    parts = urlsplit(url)
    path = quote((parts.path or "/") + ("?" if parts.query else "") + parts.query, safe=_URL_MARKS)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {_host(parts.netloc)}", "Accept-Encoding: identity"]
    if "accept" not in given:
        lines.append("Accept: */*")
    lines.extend(f"{name}: {value}" for name, value in headers.items() if name.lower() != "accept-encoding")
    return _Head(
        origin=origin,
        start="".join(f"{line}\r\n" for line in lines).encode("ascii"),
        needs_length=method not in ("GET", "HEAD", "DELETE"),
        is_repeatable=method == "GET" or _KEY.lower() in given,
    )


def _host(netloc: str) -> str:
    try:
        return netloc.lower().encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InvalidInput(f"{netloc[:80]!r} is not the name of a host", field="/url") from error


async def _acquire(pool: Pool, head: _Head, request: HttpRequest, total_at: float) -> Connection:
    try:
        async with asyncio.timeout_at(total_at):
            return await pool.acquire(head.origin, connect_s=request.timeouts.connect_s)
    except TimeoutError as error:
        raise ProviderTimeout(f"{head.origin} gave no connection in time", phase="total", was_sent=False) from error


async def _send_on(connection: Connection, data: bytes, request: HttpRequest, total_at: float) -> Http1Response:
    response = Http1Response(connection, request.timeouts, now=connection.loop.time(), total_at=total_at)
    connection.send(data, request.body, response)
    while not response.status and response.error is None:
        await response.wait()
    return response
