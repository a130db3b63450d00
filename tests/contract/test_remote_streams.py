"""Streams from a server: whole whatever becomes of the connection, and cancelled when they are left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import cuewire
from cuewire.model.errors import RateLimited, ServerError, ServerUnavailable
from cuewire.ports import Stream
from cuewire.wire.problems import problem_of
from tests.support.hurry import hurried
from tests.support.model_server import Action, Close, Hang, ModelServer, Reset, plain
from tests.support.scripted_cuewire import ID, event, events, opened, pieces, problem, result

TEXT = "It is a bug, \N{SNOWMAN} and \N{BUG} too"
END = event(result(TEXT), at=len(TEXT))


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
async def app(server: ModelServer, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(server, tmp_path) as app:
        yield app


async def read(stream: Stream) -> str:
    """Return the text of a stream, each piece of which stands where it says."""
    text = ""
    async for piece in stream:
        assert piece.offset == len(text)
        text += piece.text
    return text


async def test_a_stream_is_asked_for_once_and_read_to_its_end(app: cuewire.App, server: ModelServer) -> None:
    server.script(events(*pieces(TEXT), b":\n\n", END))
    stream = app.stream("triage", {"text": "x"}, timeout_s=7)

    text = await read(stream)

    assert text == (await stream.result()).text == TEXT
    (asked,) = server.received
    assert (asked.method, asked.path) == ("POST", "/api/v1/executions")
    assert asked.headers["idempotency-key"].startswith("cuewire-")
    assert asked.json == {
        "prompt": "triage@production",
        "inputs": {"text": "x"},
        "timeout_s": 7.0,
        "stream": True,
        "linger_s": 10.0,
    }


@pytest.mark.parametrize("broken", [Reset(), Close()], ids=["reset", "closed"])
@pytest.mark.parametrize("cut", [0, 1, 4, 8])
async def test_a_broken_stream_goes_on_at_the_character_where_it_broke(
    app: cuewire.App, server: ModelServer, broken: Action, cut: int
) -> None:
    before, rest = pieces(TEXT)[:cut], TEXT[3 * cut :]
    server.script(events(*before, broken), events(*pieces(rest, at=3 * cut), END))

    assert await read(app.stream("triage", {"text": "x"})) == TEXT

    again = server.received[1]
    assert (again.method, again.path) == ("GET", f"/api/v1/executions/{ID}/stream")
    assert again.headers["last-event-id"] == str(3 * cut)


async def test_an_event_cut_in_the_middle_is_neither_lost_nor_doubled(app: cuewire.App, server: ModelServer) -> None:
    first, second, *_ = pieces(TEXT)
    server.script(
        events(first, second[:-5], Reset()),
        events(*pieces(TEXT[1:7], at=1), Reset()),
        events(*pieces(TEXT), END),
    )

    assert await read(app.stream("triage", {"text": "x"})) == TEXT

    assert [asked.headers.get("last-event-id") for asked in server.received] == [None, "3", "7"]


async def test_a_stream_whose_beginning_was_lost_is_asked_for_under_the_same_key(
    app: cuewire.App, server: ModelServer
) -> None:
    server.script([Reset()], events(*pieces(TEXT), END))

    assert await read(app.stream("triage", {"text": "x"})) == TEXT

    first, again = server.received
    assert (first.method, first.path, first.body) == (again.method, again.path, again.body)
    assert first.headers["idempotency-key"] == again.headers["idempotency-key"]


async def test_a_server_that_stays_away_ends_a_stream_within_a_second_or_so(
    app: cuewire.App, server: ModelServer
) -> None:
    server.script(events(*pieces(TEXT), Reset()), [Reset()])
    stream = app.stream("triage", {"text": "x"})

    async with asyncio.timeout(3):
        with pytest.raises(ServerUnavailable, match="was lost"):
            await read(stream)

    with pytest.raises(ServerUnavailable):
        await stream.result()
    assert len(server.received) == 4


def test_a_stream_that_falls_silent_is_taken_up_on_another_connection(tmp_path: Path) -> None:
    async def main() -> list[str | None]:
        async with ModelServer() as server, opened(server, tmp_path) as app:
            server.script(events(*pieces(TEXT[:6]), Hang()), events(*pieces(TEXT[6:], at=6), END))
            assert await read(app.stream("triage", {"text": "x"})) == TEXT
            return [asked.headers.get("last-event-id") for asked in server.received]

    assert hurried(main()) == [None, "6"]


async def test_a_gap_is_told_and_never_glossed_over(app: cuewire.App, server: ModelServer) -> None:
    server.script(events(*pieces("It ", at=0), *pieces("a bug", at=6)))

    with pytest.raises(ServerError, match="left out characters"):
        await read(app.stream("triage", {"text": "x"}))


async def test_an_error_in_a_stream_is_raised_as_the_server_raised_it(app: cuewire.App, server: ModelServer) -> None:
    failed = RateLimited("slow down", status=429, retry_after_s=2.0)
    failed.execution_id = ID
    server.script(events(*pieces("It is"), event(problem_of(failed), at=5)))

    with pytest.raises(RateLimited, match="slow down") as caught:
        await read(app.stream("triage", {"text": "x"}))

    assert (caught.value.execution_id, caught.value.retry_after_s, caught.value.status) == (ID, 2.0, 429)
    assert len(server.received) == 1


async def test_leaving_a_stream_cancels_the_execution_on_the_server(app: cuewire.App, server: ModelServer) -> None:
    server.script(events(*pieces("It is"), Hang()), problem(cuewire.NotFound("too late")))
    stream = app.stream("triage", {"text": "x"})

    async for _ in stream:
        break
    await stream.aclose()

    async with asyncio.timeout(3):
        await server.received[0].hung_up.wait()
    assert (server.received[1].method, server.received[1].path) == ("POST", f"/api/v1/executions/{ID}/cancel")
    with pytest.raises(asyncio.CancelledError):
        await stream.result()


async def test_closing_the_app_cancels_its_streams(server: ModelServer, tmp_path: Path) -> None:
    server.script(events(*pieces("It is"), Hang()), plain(b"{}"))
    async with opened(server, tmp_path) as app:
        await anext(aiter(app.stream("triage", {"text": "x"})))

    assert server.received[1].path.endswith("/cancel")
