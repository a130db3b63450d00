"""Lists that stay true, over HTTP: as server-sent events, and over a WebSocket at the same address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Query, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.model.errors import CuewireError
from cuewire.model.live import LiveChange
from cuewire.registry.subscriptions import Reader
from cuewire.server.clients import send_events, send_messages
from cuewire.server.documented import documented
from cuewire.server.exchange import Exchange
from cuewire.server.replies import REPLIED, exchange_of
from cuewire.server.running import Running
from cuewire.server.sockets import Socket
from cuewire.wire.live import (
    RETRY,
    LiveExecutionShape,
    LiveShape,
    as_event,
    as_message,
    shown_error,
    shown_executions,
    shown_prompts,
)
from cuewire.wire.queries import LiveExecutionQuery, LiveQuery
from cuewire.wire.streams import CONTENT_TYPE, HEARTBEAT, HEARTBEAT_S

SUBSCRIBE = "/api/v1/prompts/subscribe"
SUBSCRIBE_EXECUTIONS = "/api/v1/executions/subscribe"
Show: TypeAlias = Callable[[LiveChange[Any]], LiveShape | LiveExecutionShape]
Followed: TypeAlias = tuple[Reader[Any], Show]
"""What tells of a list, and what shows that as JSON."""
_KEPT = 16
"""Changes that are kept written, because many clients are told the same one."""


class LiveRoutes:
    """What is told of lists to those who follow them. `still_admits` says whether a client may still be told."""

    def __init__(
        self,
        app: LocalApp,
        running: Running,
        *,
        still_admits: Callable[[Exchange], Awaitable[bool]],
        beat_s: float = HEARTBEAT_S,
    ) -> None:
        self._app = app
        self._running = running
        self._still_admits = still_admits
        self._beat_s = beat_s
        self._written: dict[int, tuple[LiveChange[Any], bytes]] = {}
        self.sockets: Mapping[str, Callable[[Socket], Followed]] = {
            SUBSCRIBE: lambda socket: self._prompts(socket, LiveQuery.of(socket.query)),
            SUBSCRIBE_EXECUTIONS: lambda socket: self._executions(socket, LiveExecutionQuery.of(socket.query)),
        }
        """What is followed over a WebSocket, by its path."""
        self.router = router = APIRouter()
        router.add_api_route(
            SUBSCRIBE,
            self.prompts,
            methods=["GET"],
            tags=["prompts"],
            **_documented("prompts", reply=LiveShape),
        )
        router.add_api_route(
            SUBSCRIBE_EXECUTIONS,
            self.executions,
            methods=["GET"],
            tags=["executions"],
            **_documented("executions", reply=LiveExecutionShape),
        )

    async def prompts(self, request: Request, query: Annotated[LiveQuery, Query()]) -> Response:
        """Send the list of prompts and its changes as events, until the client hangs up."""
        exchange = exchange_of(request)
        return await self._send(exchange, self._prompts(exchange, query))

    async def executions(self, request: Request, query: Annotated[LiveExecutionQuery, Query()]) -> Response:
        """Send the newest executions and what changes of them as events, until the client hangs up."""
        exchange = exchange_of(request)
        return await self._send(exchange, self._executions(exchange, query))

    async def messages(self, socket: Socket) -> None:
        """Send the same over a WebSocket."""
        socket.route = f"WEBSOCKET {socket.path}"
        reader, show = self.sockets[socket.path](socket)
        with self._running.following(reader):
            events = self._events(socket, reader, show, first=await reader.next())
            await send_messages(socket, _messages(events))

    async def _send(self, exchange: Exchange, followed: Followed) -> Response:
        reader, show = followed
        with self._running.following(reader):
            events = self._events(exchange, reader, show, first=await reader.next())
            await send_events(exchange, events)
        return REPLIED

    def _prompts(self, exchange: Exchange, query: LiveQuery) -> Followed:
        seen = self._app.prompts.by(exchange.actor)
        return seen.follow(limit=query.limit, wanted=query.wanted(), after=_after(exchange, query)), shown_prompts

    def _executions(self, exchange: Exchange, query: LiveExecutionQuery) -> Followed:
        seen = self._app.executions.by(exchange.actor)
        reader = seen.follow(limit=query.limit, prompt=query.prompt, status=query.status, after=_after(exchange, query))
        return reader, shown_executions

    async def _events(
        self, exchange: Exchange, reader: Reader[Any], show: Show, *, first: LiveChange[Any] | None
    ) -> AsyncGenerator[bytes]:
        """Yield events, and heartbeats where there are none for long, for as long as the client may be told."""
        yield RETRY
        said = self._said(first, show)
        try:
            while said and await self._still_admits(exchange):
                yield said
                try:
                    async with asyncio.timeout(self._beat_s):
                        said = self._said(await reader.next(), show)
                except TimeoutError:
                    said = HEARTBEAT
        except CuewireError as error:
            yield as_event(shown_error(error, request_id=exchange.request_id))

    def _said(self, change: LiveChange[Any] | None, show: Show) -> bytes:
        """Return a change as an event, nothing for the end."""
        if change is None:
            return b""
        written = self._written.get(id(change))
        if written is None or written[0] is not change:
            if len(self._written) >= _KEPT:
                self._written.clear()
            written = self._written[id(change)] = change, as_event(show(change))
        return written[1]


def _documented(of: str, *, reply: Any) -> dict[str, Any]:
    return documented(
        f"{of}:read",
        f"Follow {of}: the list, then its changes, as events or over a WebSocket",
        reply=reply,
        media_type=CONTENT_TYPE,
        headers=["Last-Event-ID"],
    )


def _after(exchange: Exchange, query: LiveQuery | LiveExecutionQuery) -> str | None:
    return exchange.header(b"last-event-id") or query.after


async def _messages(events: AsyncGenerator[bytes]) -> AsyncGenerator[str]:
    async with aclosing(events):
        async for event in events:
            if event is not RETRY:
                yield as_message(event)
