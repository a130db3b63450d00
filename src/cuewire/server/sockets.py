"""One WebSocket: until it is accepted it is a request that can be refused like any other, then it sends messages."""

from __future__ import annotations

import asyncio
from typing import Any

from cuewire.ports import Clock
from cuewire.server.exchange import SEND_PATIENCE_S, Exchange, Message, Receive, Scope, Send

GOING_AWAY = 1_001
"""The code with which the server closes: ask again, with the last id."""


class Socket(Exchange):
    """A WebSocket about to be opened, then open. What the client sends is not listened to."""

    is_socket = True

    def __init__(self, scope: Scope, receive: Receive, send: Send, *, clock: Clock) -> None:
        async def deny(message: Message) -> None:
            await send({**message, "type": f"websocket.{message['type']}"})

        super().__init__(scope, receive, deny, clock=clock)
        self._open_send = send

    @property
    def method(self) -> str:
        """The method of the request."""
        return "GET"

    async def accept(self) -> None:
        """Open it."""
        await self.receive()
        self.status = 101
        await self._say({"type": "websocket.accept", "headers": [(b"x-request-id", self.request_id.encode())]})

    async def say(self, text: str) -> None:
        """Send a message. Raises TimeoutError when the client takes nothing."""
        await self._say({"type": "websocket.send", "text": text})

    async def close(self) -> None:
        """Close it from this side; nobody may be waiting in `gone`."""
        await self._say({"type": "websocket.close", "code": GOING_AWAY})

    async def gone(self) -> None:
        """Return when the client has hung up."""
        while (await self.receive())["type"] != "websocket.disconnect":
            pass

    async def _say(self, message: dict[str, Any]) -> None:
        async with asyncio.timeout(SEND_PATIENCE_S):
            await self._open_send(message)
