"""Clients of the server that read its replies as they arrive, and may hang up in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec

from cuewire.wire.streams import Event, EventReader
from tests.support.command_line import DEADLINE_S
from tests.support.serving import Serving


class Client:
    """One request on a connection of its own, whose reply is read as it arrives."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._events = EventReader()
        self.execution_id = ""

    async def begun(self) -> str:
        """Read the head of the reply, and return its first line."""
        async with asyncio.timeout(DEADLINE_S):
            said = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        lines = dict(line.split(": ", 1) for line in said.splitlines()[1:] if ": " in line)
        self.execution_id = lines.get("x-cuewire-execution-id", "")
        return said.splitlines()[0].removeprefix("HTTP/1.1 ")

    async def events(self) -> AsyncIterator[Event]:
        """Yield the events until the reply ends."""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            block = await self._reader.readexactly(size + 2)
            for event in self._events.feed(block[:-2]):
                yield event

    def hang_up(self) -> None:
        """Close the connection without a word."""
        self._writer.transport.abort()


@dataclass
class Streaming:
    """Requests to a server whose replies are read as they arrive; all of them hang up at the end."""

    server: Serving
    clients: list[Client] = field(default_factory=list)

    async def request(self, method: str, path: str, body: object = None, **headers: str) -> Client:
        """Send a request, and return before its reply."""
        data = b"" if body is None else msgspec.json.encode(body)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        writer.write(self.server.head(method, path, Content_Length=str(len(data)), **headers) + data)
        self.clients.append(Client(reader, writer))
        return self.clients[-1]

    async def stream(self, **more: object) -> Client:
        """Run a prompt as a stream, and return when that has begun."""
        body = {"prompt": "story", "inputs": {"text": "x"}, "stream": True, **more}
        client = await self.request("POST", "/api/v1/executions", body)
        assert await client.begun() == "200 OK"
        return client
