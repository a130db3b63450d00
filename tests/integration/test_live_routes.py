"""What is followed over HTTP when nothing happens for long, and when the database goes away, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cuewire.config import load
from cuewire.engine.app import LocalApp
from cuewire.model.errors import StoreUnavailable
from cuewire.server.exchange import Exchange, Message
from cuewire.server.routes.live import SUBSCRIBE, LiveRoutes
from cuewire.server.running import Running
from cuewire.server.sockets import GOING_AWAY, Socket
from cuewire.wire.live import QUIET
from cuewire.wiring import connect

BEAT_S = 0.02
SOON_S = 10.0


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[LocalApp]:
    opened = await connect(
        f"sqlite:///{tmp_path}/cue.db",
        settings=load(environment={"CUEWIRE_DATA_FOLDER": str(tmp_path)}, folder=tmp_path),
    )
    yield opened
    await opened.close()


class Opened:
    """A WebSocket to the routes, without a server between."""

    def __init__(self, app: LocalApp, still_admits: Any) -> None:
        self.running = Running()
        self.said: asyncio.Queue[Message] = asyncio.Queue()
        self._receives = iter([{"type": "websocket.connect"}])
        scope = {"type": "websocket", "raw_path": SUBSCRIBE.encode(), "headers": [], "query_string": b"limit=3"}
        self._socket = Socket(scope, self._receive, self.said.put, clock=app.clock)
        self._socket.actor = app.actor
        routes = LiveRoutes(app, self.running, still_admits=still_admits, beat_s=BEAT_S)
        self.task = asyncio.create_task(routes.messages(self._socket))

    async def next(self) -> Message:
        """Return what is said next."""
        async with asyncio.timeout(SOON_S):
            return await self.said.get()

    async def _receive(self) -> Message:
        for message in self._receives:
            return message
        return await asyncio.Future()


async def test_when_nothing_happens_for_long_that_is_said_until_the_server_ends(app: LocalApp) -> None:
    async def still_admits(_: Exchange) -> bool:
        return True

    socket = Opened(app, still_admits)

    assert (await socket.next())["type"] == "websocket.accept"
    assert '"snapshot"' in (await socket.next())["text"]
    assert [(await socket.next())["text"] for _ in range(3)] == [QUIET] * 3
    await socket.running.end(patience_s=0)
    await socket.task
    assert _drained(socket.said)[-1] == {"type": "websocket.close", "code": GOING_AWAY}


async def test_a_client_whose_rights_have_changed_is_told_nothing_more(app: LocalApp) -> None:
    answers = iter([True, True, False])

    async def still_admits(_: Exchange) -> bool:
        return next(answers)

    socket = Opened(app, still_admits)
    await socket.task

    kinds = [message["type"] for message in _drained(socket.said)]
    assert kinds == ["websocket.accept", "websocket.send", "websocket.send", "websocket.close"]


async def test_a_database_that_goes_away_is_told_before_the_end(app: LocalApp) -> None:
    async def still_admits(_: Exchange) -> bool:
        raise StoreUnavailable("the database is away")

    socket = Opened(app, still_admits)
    await socket.task

    _, error, closed = _drained(socket.said)
    assert '"store_unavailable"' in error["text"]
    assert closed["type"] == "websocket.close"


def _drained(queue: asyncio.Queue[Message]) -> list[Message]:
    return [queue.get_nowait() for _ in range(queue.qsize())]
