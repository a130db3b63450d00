"""The transport on aiohttp: one pool for configured origins, another, guarded, for every other address."""

from __future__ import annotations

import asyncio
import io
import socket
import ssl
from collections.abc import Awaitable, Iterable, Mapping
from contextvars import ContextVar
from copy import copy
from weakref import WeakSet

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import AddrInfoType, Connection
from yarl import URL

from cuewire.model.errors import CuewireError, ProtocolError, ProviderTimeout
from cuewire.model.values import Value
from cuewire.outbound.addresses import check_addresses
from cuewire.outbound.aiohttp_errors import CAUGHT, translated
from cuewire.outbound.proxies import Proxies
from cuewire.outbound.resolver import Names, Resolve
from cuewire.outbound.transport import (
    MAX_BODY,
    MAX_STREAM,
    HttpRequest,
    Response,
    Timeouts,
    check_headers,
    origin_of,
)

RESOLVE_S = 5.0
_AT_ONCE = 2**20
"""Bytes of a request body that are written in one go; aiohttp warns above it because a socket takes it in parts."""
_REMEMBERED_URLS = 512


class AiohttpTransport:
    """Implements the Transport port. To be used on one event loop, the one that runs when it is first called."""

    def __init__(
        self,
        *,
        origins: Iterable[str],
        proxies: Proxies,
        ca_file: str | None = None,
        connections: int = 1_000,
        resolve: Resolve | None = None,
    ) -> None:
        self._origins = frozenset(origins)
        self._proxies = proxies
        self._ca_file = ca_file
        self._connections = connections
        self._resolve = resolve or Names()
        self._pools: dict[bool, aiohttp.ClientSession] = {}
        self._targets: dict[str, _Target] = {}
        self._timeouts: dict[Timeouts, aiohttp.ClientTimeout] = {}

    async def send(self, request: HttpRequest) -> Response:
        """Send the request."""
        check_headers(request.headers)
        target = self._targets.get(request.url) or self._find_target(request.url)
        was_sent = False
        try:
            try:
                answer = await self._send_once(request, target)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                if not _may_send_again(request, error):
                    raise
                was_sent = True
                answer = await self._send_once(request, target)
        except CuewireError as shared:  # of the resolver, which gives one error to all who wait for the same name
            own = copy(shared)
            if isinstance(own, ProviderTimeout):
                own.was_sent = was_sent
            raise own from shared
        except CAUGHT as error:
            was_sent = was_sent or _wire.get() is not None
            raise translated(error, origin=target.origin, phase="first_byte", was_sent=was_sent) from error
        return _opened(answer, target.origin, request.timeouts.idle_s)

    async def close(self) -> None:
        """Close both pools."""
        self._targets.clear()
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()

    async def _send_once(self, request: HttpRequest, target: _Target) -> aiohttp.ClientResponse:
        _wire.set(None)
        body = request.body
        try:
            return await target.pool.request(
                request.method,
                target.url,
                headers={"Accept-Encoding": "identity", **request.headers},
                data=body if len(body) <= _AT_ONCE else io.BytesIO(body),
                proxy=target.proxy,
                timeout=self._timeouts.get(request.timeouts) or self._find_timeout(request.timeouts),
                allow_redirects=False,
            )
        except BaseException:
            # aiohttp closes the connection but first flushes what it still had to send, which a server that does not
            # read can delay for ever.
            if (wire := _wire.get()) is not None and wire.transport is not None:
                wire.transport.abort()
            raise

    def _find_target(self, url: str) -> _Target:
        origin = origin_of(url)
        is_configured = origin in self._origins
        if len(self._targets) >= _REMEMBERED_URLS:
            self._targets.clear()
        if is_configured not in self._pools:
            self._pools[is_configured] = self._open_pool(is_configured=is_configured)
        target = self._targets[url] = _Target(
            url=URL(url),
            origin=origin,
            pool=self._pools[is_configured],
            # Through a proxy nobody here could check the address that is connected to.
            proxy=self._proxies.for_origin(origin) if is_configured else None,
        )
        return target

    def _find_timeout(self, timeouts: Timeouts) -> aiohttp.ClientTimeout:
        found = self._timeouts[timeouts] = aiohttp.ClientTimeout(
            total=timeouts.total_s, sock_connect=timeouts.connect_s, sock_read=timeouts.first_byte_s
        )
        return found

    def _open_pool(self, *, is_configured: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._connections,
            ssl=ssl.create_default_context(cafile=self._ca_file) if self._ca_file else True,
            resolver=_Resolver(self._resolve, is_guarded=not is_configured),
            socket_factory=None if is_configured else _guarded_socket,
        )
        pool = aiohttp.ClientSession(
            connector=connector,
            request_class=_Request,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        pool._retry_connection = False  # it would send a GET again without regard to the rule of Transport.send
        return pool


class _Target(Value, frozen=True):
    """Where the requests for one URL go."""

    url: URL
    origin: str
    pool: aiohttp.ClientSession
    proxy: str | None


class _Wire(Value, frozen=True):
    """The connection that the running request was put on."""

    transport: asyncio.Transport | None
    was_used: bool


_wire: ContextVar[_Wire | None] = ContextVar("wire", default=None)
_used: WeakSet[ResponseHandler] = WeakSet()


class _Request(aiohttp.ClientRequest):
    """Notes which connection it was put on, and whether that one had served a request before."""

    def send(self, conn: Connection) -> Awaitable[aiohttp.ClientResponse]:  # type: ignore[override]  # same awaitable
        protocol = conn.protocol
        assert protocol is not None
        _wire.set(_Wire(transport=conn.transport, was_used=protocol in _used))
        _used.add(protocol)
        return super().send(conn)


def _may_send_again(request: HttpRequest, error: aiohttp.ClientError) -> bool:
    wire = _wire.get()
    if wire is None or not wire.was_used:
        return False
    if isinstance(error, aiohttp.ServerDisconnectedError) and not isinstance(error.message, str):
        return False  # the message is then the part of a head that had arrived
    return request.method == "GET" or "Idempotency-Key" in request.headers


class _Resolver(AbstractResolver):
    def __init__(self, resolve: Resolve, *, is_guarded: bool) -> None:
        self._resolve = resolve
        self._is_guarded = is_guarded

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        try:
            async with asyncio.timeout(RESOLVE_S):
                addresses = await self._resolve(host)
        except TimeoutError as error:
            message = f"the name {host!r} did not resolve in time"
            raise ProviderTimeout(message, phase="connect", was_sent=False) from error
        if self._is_guarded:
            check_addresses(host, addresses)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Release nothing."""


def _guarded_socket(address: AddrInfoType) -> socket.socket:
    """Make the socket for a connection, the last place at which its address can be refused."""
    family, kind, protocol, _, (host, *_) = address
    check_addresses(str(host), [str(host)])
    return socket.socket(family, kind, protocol)


def _opened(answer: aiohttp.ClientResponse, origin: str, idle_s: float) -> _Response:
    connection = answer.connection
    if connection is not None and connection.protocol is not None:
        connection.protocol.read_timeout = idle_s
        connection.protocol.start_timeout()
    response = _Response(answer, origin)
    if not 200 <= answer.status <= 599:
        response.close()
        raise ProtocolError(f"{origin} answered with status {answer.status}, which has no meaning here")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        response.close()
        raise ProtocolError(f"{origin} compressed its answer though it was asked not to")
    return response


class _Response:
    __slots__ = ("_answer", "_content", "_origin", "_size", "headers", "status")

    def __init__(self, answer: aiohttp.ClientResponse, origin: str) -> None:
        self.status: int = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._answer = answer
        self._content = answer.content
        self._origin = origin
        self._size = 0

    @property
    def is_complete(self) -> bool:
        return self._content.is_eof()

    async def read(self) -> bytes:
        blocks = []
        while block := await self._next_block(MAX_BODY):
            blocks.append(block)
        return b"".join(blocks)

    def __aiter__(self) -> _Response:
        return self

    async def __anext__(self) -> bytes:
        if block := await self._next_block(MAX_STREAM):
            return block
        raise StopAsyncIteration

    def close(self) -> None:
        connection = self._answer.connection
        if connection is None:
            return  # given back to the pool, or closed
        if connection.transport is not None:
            connection.transport.abort()
        self._answer.close()

    async def _next_block(self, limit: int) -> bytes:
        try:
            block = await self._content.readany()
        except CAUGHT as error:
            self.close()
            raise translated(error, origin=self._origin, phase="idle", was_sent=True) from error
        except BaseException:
            self.close()
            raise
        self._size += len(block)
        if self._size > limit:
            self.close()
            raise ProtocolError(f"{self._origin} sent more than {limit >> 20} MiB")
        return block
