"""Clients that follow prompts or executions on a server: over an event stream and over a WebSocket, on aiohttp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from cuewire.server.routes.live import SUBSCRIBE
from tests.support.command_line import DEADLINE_S
from tests.support.serving import Serving


@dataclass
class Events:
    """An event stream, read event by event."""

    response: aiohttp.ClientResponse

    async def next(self) -> dict[str, str]:
        """Return the fields of the next event, {} at the end."""
        while True:
            async with asyncio.timeout(DEADLINE_S):
                block = await self.response.content.readuntil(b"\n\n")
            fields = dict(line.split(": ", 1) for line in block.decode().splitlines() if ": " in line)
            if fields.keys() != {"retry"} and not block.startswith(b":"):
                return fields

    async def message(self) -> dict[str, Any]:
        """Return the next message."""
        found: dict[str, Any] = msgspec.json.decode((await self.next())["data"])
        return found


@dataclass
class Socket:
    """A WebSocket, read message by message."""

    socket: aiohttp.ClientWebSocketResponse

    async def text(self) -> str:
        """Return the text of the next message; raises when the server closes."""
        async with asyncio.timeout(DEADLINE_S):
            return await self.socket.receive_str()

    async def message(self) -> dict[str, Any]:
        """Return the next message."""
        found: dict[str, Any] = msgspec.json.decode(await self.text())
        return found


@dataclass
class Client:
    """Follows a list on one server, with its key unless other headers are given."""

    server: Serving
    session: aiohttp.ClientSession
    path: str = SUBSCRIBE

    @asynccontextmanager
    async def events(self, query: str = "", **headers: str) -> AsyncIterator[Events]:
        """Open an event stream."""
        async with self.session.get(self._url(query), headers=self._headers(headers)) as response:
            assert response.status == 200, await response.text()
            yield Events(response)

    @asynccontextmanager
    async def socket(self, query: str = "", **headers: str) -> AsyncIterator[Socket]:
        """Open a WebSocket."""
        async with self.session.ws_connect(self._url(query), headers=self._headers(headers)) as socket:
            yield Socket(socket)

    async def refused(self, query: str = "", path: str = "", **headers: str) -> int:
        """Try to open a WebSocket, and return the status with which that is refused."""
        try:
            await self.session.ws_connect(self.server.url + (path or self.path) + query, headers=self._headers(headers))
        except aiohttp.WSServerHandshakeError as error:
            return error.status
        return 101

    def _url(self, query: str) -> str:
        return f"{self.server.url}{self.path}{query}"

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return (
            given
            if {"Cookie", "Authorization"} & given.keys()
            else {"Authorization": f"Bearer {self.server.key}"} | given
        )


@asynccontextmanager
async def following(server: Serving, path: str = SUBSCRIBE) -> AsyncIterator[Client]:
    """Give a client of the server; whatever it opened is closed at the end."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout()) as session:
        yield Client(server, session, path)
