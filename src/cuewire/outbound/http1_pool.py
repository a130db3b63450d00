"""The connections of a transport: those in use, those kept for the next call, and the calls that wait for one."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from cuewire.model.errors import CuewireError, NetworkError, ProviderTimeout
from cuewire.outbound.http1_connection import Connection
from cuewire.outbound.resolver import Resolve

KEPT_S = 15.0
"""How long a connection is kept without a request on it; many servers and routers drop it not long after."""
_RESOLVE_S = 5.0
_TICK_S = 0.05
"""How often time limits are looked at: one timer for all calls, so each may be that much late."""

_CLOSED = "the transport was closed"


class Pool:
    """Opens at most `limit` connections at a time; calls above it wait in the order they came."""

    def __init__(self, *, limit: int, resolve: Resolve, ca_file: str | None) -> None:
        self._limit = limit
        self._resolve = resolve
        self._ca_file = ca_file
        self._loop = asyncio.get_running_loop()
        self._tls: ssl.SSLContext | None = None
        self._count = 0  # of connections and of those being opened
        self._busy: set[Connection] = set()
        self._kept: dict[str, list[Connection]] = {}
        self._waiting: deque[tuple[str, asyncio.Future[Connection | None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def take(self, origin: str) -> Connection | None:
        """Return the connection of an origin that was used last, if one is kept."""
        kept = self._kept.get(origin)
        while kept:
            connection = kept.pop()
            if connection.is_usable:
                return self._in_use(connection)
            connection.close()
        return None

    async def acquire(self, origin: str, *, connect_s: float) -> Connection:
        """Return a connection, a new one if need be and allowed. Raises NetworkError, ProviderTimeout, of nothing sent.

        A call that was handed a kept connection which broke before it ran takes its turn again.
        """
        while not self._is_closed:
            if (connection := self.take(origin)) is not None:
                return connection
            if self._count >= self._limit:
                self._drop_kept()
            if self._count < self._limit:
                self._count += 1
            elif (connection := await self._turn(origin)) is not None:
                if connection.is_usable:
                    return self._in_use(connection)
                connection.close()
                continue
            return await self._open(origin, connect_s=connect_s)
        raise NetworkError(_CLOSED, was_sent=False)

    def release(self, connection: Connection) -> None:
        """Keep a connection, or hand it to the call that waits longest."""
        waiter = self._next_waiting()
        if waiter is None:
            self._busy.discard(connection)
            connection.idle_since = self._loop.time()
            self._kept.setdefault(connection.origin, []).append(connection)
        elif waiter[0] == connection.origin:
            waiter[1].set_result(connection)
        else:
            self._waiting.appendleft(waiter)
            connection.close()

    def forget(self, connection: Connection) -> None:
        """Give the place of a closed connection to the call that waits longest."""
        self._busy.discard(connection)
        if connection in (kept := self._kept.get(connection.origin, [])):
            kept.remove(connection)
        self._give_place()

    def drop(self, origin: str) -> None:
        """Close all connections that are kept for an origin."""
        for connection in self._kept.pop(origin, []):
            connection.close()

    async def close(self) -> None:
        """Close all connections; calls that wait for one end with NetworkError."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        while (waiter := self._next_waiting()) is not None:
            waiter[1].set_exception(NetworkError(_CLOSED, was_sent=False))
        for connection in self._busy.copy():
            connection.close()
        for origin in tuple(self._kept):
            self.drop(origin)
        await asyncio.sleep(0)  # the event loop closes the sockets in its next turn

    def _in_use(self, connection: Connection) -> Connection:
        self._busy.add(connection)
        if self._timer is None:
            self._timer = self._loop.call_later(_TICK_S, self._tick)
        return connection

    def _tick(self) -> None:
        now = self._loop.time()
        for connection in tuple(self._busy):
            connection.check_time(now)
        for kept in self._kept.values():
            while kept and kept[0].idle_since < now - KEPT_S:
                kept[0].close()
        is_needed = self._busy or any(self._kept.values())
        self._timer = self._loop.call_later(_TICK_S, self._tick) if is_needed else None

    async def _turn(self, origin: str) -> Connection | None:
        """Wait for a connection, or (None) for the place of one."""
        turn: asyncio.Future[Connection | None] = self._loop.create_future()
        self._waiting.append((origin, turn))
        try:
            return await turn
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                connection = turn.result()
                if connection is None:
                    self._give_place()
                elif connection.is_usable:
                    self.release(connection)
                else:
                    connection.close()
            turn.cancel()
            raise

    def _next_waiting(self) -> tuple[str, asyncio.Future[Connection | None]] | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter[1].done():
                return waiter
        return None

    def _give_place(self) -> None:
        waiter = self._next_waiting()
        if waiter is None:
            self._count -= 1
        else:
            waiter[1].set_result(None)

    def _drop_kept(self) -> None:
        """Close the connection that has been idle longest, to make room for another origin."""
        oldest = [kept[0] for kept in self._kept.values() if kept]
        if oldest:
            min(oldest, key=lambda connection: connection.idle_since).close()

    async def _open(self, origin: str, *, connect_s: float) -> Connection:
        try:
            async with asyncio.timeout(connect_s):
                connection = await self._connect(origin, give_up_at=self._loop.time() + connect_s)
        except BaseException as error:
            self._give_place()
            if isinstance(error, TimeoutError):
                message = f"no connection to {origin} in time"
                raise ProviderTimeout(message, phase="connect", was_sent=False) from error
            if isinstance(error, OSError):
                raise _no_connection(error, origin=origin) from error
            raise
        if self._is_closed:
            connection.close()
        if connection.is_gone:
            raise NetworkError(f"the connection to {origin} was lost", was_sent=False)
        return self._in_use(connection)

    async def _connect(self, origin: str, *, give_up_at: float) -> Connection:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port or 0
        addresses = await self._addresses(host, origin=origin)
        tls = await self._tls_context() if parts.scheme == "https" else None
        for left in range(len(addresses), 0, -1):
            try:
                async with asyncio.timeout((give_up_at - self._loop.time()) / left):
                    _, connection = await self._loop.create_connection(
                        lambda: Connection(origin, self, self._loop),
                        addresses[-left],
                        port,
                        ssl=tls,
                        server_hostname=host.rstrip(".") if tls else None,
                    )
                    return connection
            except OSError:  # a TimeoutError is one too
                if left == 1:
                    raise
        raise AssertionError("a resolver returns an address or raises")

    async def _addresses(self, host: str, *, origin: str) -> Sequence[str]:
        try:
            return (str(ip_address(host)),)
        except ValueError:
            pass
        try:
            async with asyncio.timeout(_RESOLVE_S):
                return await self._resolve(host)
        except TimeoutError as error:
            message = f"the name {host!r} did not resolve in time"
            raise ProviderTimeout(message, phase="connect", was_sent=False) from error
        except OSError as error:
            message = f"the name of {origin} does not resolve"
            raise NetworkError(message, hint="check the address and the network", was_sent=False) from error

    async def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:  # reading the authorities takes long enough to hold up the loop
            make = ssl.create_default_context
            self._tls = await self._loop.run_in_executor(None, lambda: make(cafile=self._ca_file))
        return self._tls


def _no_connection(error: OSError, *, origin: str) -> CuewireError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return NetworkError(
            f"the certificate of {origin} is not valid: {_reason(error)}",
            hint="if an authority of your own signed it, name its file in SSL_CERT_FILE",
            was_sent=False,
        )
    if isinstance(error, ssl.SSLError):
        return NetworkError(f"no TLS connection to {origin}: {_reason(error)}", was_sent=False)
    message = f"no connection to {origin}: {_reason(error)}"
    return NetworkError(message, hint="check the address and the network", was_sent=False)


def _reason(error: OSError) -> str:
    text = getattr(error, "verify_message", None) or error.strerror or type(error).__name__
    return str(text)[:200].lower()
