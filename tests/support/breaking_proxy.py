"""A TCP proxy that breaks connections, at a byte or at once, as networks do: with a reset."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from types import TracebackType


class BreakingProxy:
    """Stands before a port of this machine; use it as `async with`. Connections are left alone until told otherwise."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self.connections = 0
        self._target = port
        self._breaks: deque[int] = deque()
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._came = asyncio.Event()

    @property
    def origin(self) -> str:
        """The origin under which the port is reached through the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def break_next(self, *after: int) -> None:
        """Reset each of the next connections after so many bytes of its answers, for 0 in place of the first."""
        self._breaks.extend(after)

    def break_all(self) -> None:
        """Reset all connections that are open."""
        for writer in self._open.values():
            _reset(writer)

    async def reached(self, connections: int) -> None:
        """Return when so many connections were made, all told."""
        async with asyncio.timeout(5):
            while self.connections < connections:
                self._came.clear()
                await self._came.wait()

    async def __aenter__(self) -> BreakingProxy:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        tasks = [*self._open]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        self.connections += 1
        self._came.set()
        after = self._breaks.popleft() if self._breaks else None
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
            asking = asyncio.create_task(_copy(reader, to_server, None))
            try:
                await _copy(from_server, writer, after)
            finally:
                asking.cancel()
                await asyncio.wait([asking])
                _reset(to_server)
        except ConnectionError:
            pass
        finally:
            _reset(writer)
            del self._open[task]


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter, limit: int | None) -> None:
    """Copy to the end, or until so many bytes have passed; the end of one side is the end of both."""
    try:
        while block := await source.read(65_536):
            if limit is not None and len(block) >= limit:
                target.write(block[:limit])
                await target.drain()
                break
            target.write(block)
            await target.drain()
            limit = None if limit is None else limit - len(block)
    except ConnectionError:
        pass
    target.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection is not None and not writer.transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
