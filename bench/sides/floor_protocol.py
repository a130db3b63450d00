"""Floor: a hand-written asyncio protocol with typed JSON. No pool, no time limit, no retry, no record.

It understands exactly what the stub sends; it shows what the machine can do, not what a client should do.
"""

from __future__ import annotations

import asyncio
from typing import cast
from urllib.parse import urlsplit

from bench.sides.meter import base_url, drive, load_from_arguments, run_on_uvloop
from bench.sides.wire import Events, read_answer, request_body

ADDRESS = urlsplit(base_url())
HOST, PORT = ADDRESS.hostname or "", ADDRESS.port or 80
HEAD = (
    f"POST {ADDRESS.path}/chat/completions HTTP/1.1\r\nHost: {ADDRESS.netloc}\r\nAuthorization: Bearer x\r\n"
    "Content-Type: application/json\r\nContent-Length: "
).encode()


class Connection(asyncio.Protocol):
    """One kept-alive connection with at most one request on it."""

    def __init__(self) -> None:
        self._rest = b""
        self._end = 0
        self._events: Events | None = None
        self._waiter: asyncio.Future[bytes] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to write on."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def request(self, body: bytes, *, events: Events | None = None) -> asyncio.Future[bytes]:
        """Send a body; the future ends with the answer's body, empty for a stream."""
        assert self._transport is not None
        self._waiter, self._events, self._rest, self._end = (
            asyncio.get_running_loop().create_future(),
            events,
            b"",
            0,
        )
        self._transport.write(b"%b%d\r\n\r\n%b" % (HEAD, len(body), body))
        return self._waiter

    def data_received(self, data: bytes) -> None:
        """Feed the stream, or collect the body up to its length."""
        assert self._waiter is not None
        if self._events is not None:
            self._events.feed(data)
            if self._events.is_over and data.endswith(b"0\r\n\r\n"):
                self._waiter.set_result(b"")
            return
        self._rest += data
        if not self._end:
            head, separator, body = self._rest.partition(b"\r\n\r\n")
            if not separator:
                return
            self._end = int(head[head.index(b"Content-Length: ") + 16 :].partition(b"\r")[0])
            self._rest = body
        if len(self._rest) >= self._end:
            self._waiter.set_result(self._rest)


class Pool:
    """As many connections as requests in flight, all opened at the start."""

    def __init__(self) -> None:
        self._free: list[Connection] = []

    async def open(self, size: int) -> None:
        """Open all connections."""
        loop = asyncio.get_running_loop()
        for _ in range(size):
            _, connection = await loop.create_connection(Connection, HOST, PORT)
            self._free.append(connection)

    async def call(self, number: int) -> int:
        """Make one plain call."""
        connection = self._free.pop()
        body = await connection.request(request_body(number))
        self._free.append(connection)
        return read_answer(body)

    async def stream(self, number: int) -> int:
        """Read one stream to its end."""
        connection, events = self._free.pop(), Events()
        await connection.request(request_body(number, stream=True), events=events)
        self._free.append(connection)
        return events.close()


async def main() -> None:
    """Drive the kind of request that the command line names."""
    load, pool = load_from_arguments(), Pool()
    await pool.open(load.in_flight)
    await drive(load, {"call": pool.call, "stream": pool.stream}[load.kind])


if __name__ == "__main__":
    run_on_uvloop(main())
