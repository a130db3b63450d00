"""A way to a PostgreSQL server that breaks at a named moment: before or after the server has done what it was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, urlsplit


@dataclass
class CuttingProxy:
    """Passes bytes on until a client sends `at`; then the connection ends, once for each moment that is armed."""

    socket: str
    database: str
    port: int = 0
    armed: list[tuple[bytes, Literal["before", "after"]]] = field(default_factory=list)
    cuts: int = 0
    carried: set[asyncio.StreamWriter] = field(default_factory=set)
    is_shut: bool = False
    """Whether nobody gets through."""
    shuts_at_cut: bool = False
    """Whether the next cut is of all connections, and shuts the way."""

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}{self.database}"

    def cut(self, when: Literal["before", "after"], at: bytes) -> None:
        """Break the connection at the next such bytes, before they reach the server or after it has answered."""
        self.armed.append((at, when))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        if self.is_shut:
            await _end(writer)
            return
        self.carried.add(writer)
        answers, questions = await asyncio.open_unix_connection(self.socket)
        back = asyncio.ensure_future(_pump(answers, writer))
        try:
            while data := await reader.read(1 << 20):
                moment = next((moment for moment in self.armed if moment[0] in data), None)
                if moment is None:
                    questions.write(data)
                    continue
                self.armed.remove(moment)
                self.cuts += 1
                back.cancel()
                if moment[1] == "after":
                    await asyncio.wait([back])
                    questions.write(data)
                    await answers.read(1)  # the server has done it; nobody will hear so
                if self.shuts_at_cut:
                    self.shuts_at_cut, self.is_shut = False, True
                    for each in self.carried:
                        each.transport.abort()
                break
        finally:
            back.cancel()
            await asyncio.wait([back])
            for stream in (questions, writer):
                await _end(stream)
            self.carried.discard(writer)


@asynccontextmanager
async def cutting_proxy(url: str) -> AsyncIterator[CuttingProxy]:
    """Stand between a client and the server that has its socket where the URL says."""
    parts = urlsplit(url)
    proxy = CuttingProxy(f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432", parts.path)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", 0) as listener:
        proxy.port = listener.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            listener.close()
            while proxy.carried:  # noqa: ASYNC110  # until the clients, which are closed, are gone
                await asyncio.sleep(0.001)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(1 << 20):
        target.write(data)
    target.close()


async def _end(stream: asyncio.StreamWriter) -> None:
    stream.close()
    with suppress(OSError):
        await stream.wait_closed()
