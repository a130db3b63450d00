"""A list that is followed on a server, byte by byte: what is told when connections break, and when the server does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

import cuewire
from cuewire.model.errors import AccessDenied, InvalidInput, NotFound, PromptNotFound, ServerError, ServerUnavailable
from cuewire.model.live import Item, LiveChange, Placed, Snapshot, Update
from cuewire.model.prompts import Prompt
from cuewire.outbound.transport import MAX_STREAM
from cuewire.wire.live import as_event, shown_error, shown_prompts
from tests.support.live import prompt
from tests.support.model_server import Action, Close, Flood, Hang, ModelServer, Reset, chunk, plain, stream
from tests.support.scripted_cuewire import opened, problem

SOON_S = 20.0
FIRST = Snapshot(id="1-m", items=(prompt(1),))
UNCHANGED: Update[Prompt] = Update(id="5-m", changed=(), left=(), size=1)
CHANGED = Update(id="7-m", changed=(Placed(place=0, item=prompt(2)),), left=(1,), size=1)
COMMENT = b":%b\n\n" % (b" " * 2**20)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def app(server: ModelServer, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(server, tmp_path) as app:
        yield app


def told(*changes: LiveChange[Prompt], then: Action | None = None) -> list[Action]:
    """Tell these changes over one connection, and end it in this way."""
    return stream(*(as_event(shown_prompts(change)) for change in changes), then or Close())


async def said(changes: AsyncIterator[LiveChange[Item]]) -> LiveChange[Item]:
    async with asyncio.timeout(SOON_S):
        return await anext(changes)


def came_back_with(server: ModelServer) -> list[str | None]:
    return [asked.headers.get("last-event-id") for asked in server.received]


async def test_a_lost_connection_is_taken_up_after_the_last_change(app: cuewire.App, server: ModelServer) -> None:
    server.script(told(FIRST, then=Reset()), [Reset()], plain(b"", 503), told(CHANGED), told(UNCHANGED, then=Hang()))
    changes = aiter(app.prompts.subscribe(limit=1))

    assert [await said(changes), await said(changes)] == [FIRST, CHANGED]
    assert came_back_with(server) == [None, "1-m", "1-m", "1-m"]
    assert {asked.path for asked in server.received} == {"/api/v1/prompts/subscribe?limit=1"}


async def test_that_nothing_was_missed_is_no_change(app: cuewire.App, server: ModelServer) -> None:
    server.script(told(FIRST), told(UNCHANGED), told(UNCHANGED, CHANGED, then=Hang()))
    lists: asyncio.Queue[Sequence[Prompt]] = asyncio.Queue()
    subscription = app.prompts.subscribe(limit=1, on_change=lists.put_nowait)

    async with asyncio.timeout(SOON_S):
        both = [await lists.get(), await lists.get()]
    subscription.unsubscribe()

    assert both == [(prompt(1),), (prompt(2),)]
    assert came_back_with(server) == [None, "1-m", "5-m"]
    assert lists.empty()


async def test_who_comes_with_an_id_of_their_own_hears_that_they_missed_nothing(
    app: cuewire.App, server: ModelServer
) -> None:
    server.script(told(UNCHANGED), told(UNCHANGED, CHANGED, then=Hang()))
    changes = aiter(app.prompts.subscribe(limit=1, after="4-m"))

    assert [await said(changes), await said(changes)] == [UNCHANGED, CHANGED]
    assert came_back_with(server) == ["4-m", "5-m"]


@pytest.mark.parametrize("away", [[Reset()], [Close()], plain(b"", 503)], ids=["reset", "closed", "503"])
async def test_a_server_that_is_away_at_the_very_first_is_an_error(
    app: cuewire.App, server: ModelServer, away: list[Action]
) -> None:
    server.script(away)
    subscription = app.prompts.subscribe()

    with pytest.raises(ServerUnavailable):
        await said(aiter(subscription))
    assert [change async for change in subscription] == [], "it has ended"
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (plain(b"", 403), AccessDenied),
        (plain(b"<html>", 404), ServerError),
        (problem(InvalidInput("limit must be 1 to 1000")), InvalidInput),
        (stream(as_event(shown_error(PromptNotFound("gone"), request_id="r"))), NotFound),
        (stream(b'id: 1\nevent: update\ndata: {"kind": "update"}\n\n'), ServerError),
    ],
    ids=["403", "a page", "refused", "an error in the stream", "another shape"],
)
async def test_what_will_not_pass_ends_the_list_also_later(
    app: cuewire.App, server: ModelServer, answer: list[Action], kind: type[Exception]
) -> None:
    server.script(answer, told(FIRST), answer)

    with pytest.raises(kind):
        await said(aiter(app.prompts.subscribe()))
    changes = aiter(app.prompts.subscribe())
    assert await said(changes) == FIRST
    with pytest.raises(kind):
        await said(changes)
    assert len(server.received) == 3


async def test_a_connection_is_left_before_it_has_brought_more_than_one_may(
    app: cuewire.App, server: ModelServer
) -> None:
    server.script(told(FIRST, then=Flood(chunk(COMMENT), total=MAX_STREAM)), told(CHANGED, then=Hang()))
    changes = aiter(app.prompts.subscribe(limit=1))

    assert [await said(changes), await said(changes)] == [FIRST, CHANGED]
    first, _ = server.received
    assert first.hung_up.is_set()
    assert came_back_with(server) == [None, "1-m"]
