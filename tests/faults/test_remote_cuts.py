"""A real server behind a network that breaks connections: nothing is lost, nothing doubled, nothing run twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import cuewire
from cuewire.model.errors import ServerUnavailable
from cuewire.remote.runs import LINGER_S
from tests.support.breaking_proxy import BreakingProxy
from tests.support.cuewire_server import CuewireServer
from tests.support.model_server import (
    DONE,
    Action,
    Hang,
    ModelServer,
    Until,
    completion,
    delta,
    plain,
    stream,
    usage_event,
)

TEXT = "".join(f"{number} \N{SNOWMAN}\N{BUG}\n" for number in range(200))
PARTS = [TEXT[start : start + 9] for start in range(0, len(TEXT), 9)]
ENDING = (delta(finish_reason="stop"), usage_event({"prompt_tokens": 1, "completion_tokens": 1}), DONE)
ANSWER = stream(*map(delta, PARTS), *ENDING)


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer() as running:
        yield running


@pytest.fixture
def server(model: ModelServer, tmp_path: Path) -> Iterator[CuewireServer]:
    with CuewireServer(tmp_path, {"OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "sk-1"}) as running:
        with cuewire.open(settings=running.settings()) as app:
            app.prompts.publish("triage", "Bug or idea? {{ text }}", model="openai/gpt-4o-mini")
        yield running


@pytest.fixture
async def proxy(server: CuewireServer) -> AsyncIterator[BreakingProxy]:
    async with BreakingProxy(server.port) as running:
        yield running


@pytest.fixture
async def app(server: CuewireServer, proxy: BreakingProxy) -> AsyncIterator[cuewire.App]:
    """Open the App on the server, by way of the proxy."""
    async with cuewire.open(settings=server.settings(CUEWIRE_SERVER=proxy.origin)) as app:
        yield app


async def read(app: cuewire.App) -> str:
    """Return the text of a stream, each piece of which stands where it says."""
    text = ""
    running = app.stream("triage", {"text": "x"})
    async for piece in running:
        assert piece.offset == len(text)
        text += piece.text
    assert (await running.result()).text == text
    return text


@pytest.mark.parametrize("cuts", [(0,), (1,), (300,), (301, 302, 303), (700, 900, 1_500), (2_000, 0, 1)], ids=str)
async def test_a_stream_that_breaks_again_and_again_is_whole_and_run_once(
    app: cuewire.App, model: ModelServer, proxy: BreakingProxy, cuts: tuple[int, ...]
) -> None:
    model.script(ANSWER)
    proxy.break_next(*cuts)

    assert await read(app) == TEXT

    assert len(model.received) == 1
    (record,) = (await app.executions.list()).items
    assert record.status == "succeeded"


async def test_a_stream_cut_while_the_model_thinks_goes_on_when_it_speaks(
    app: cuewire.App, model: ModelServer, proxy: BreakingProxy
) -> None:
    thought = asyncio.Event()
    model.script(stream(delta("It is "), Until(thought), delta("a bug"), *ENDING))
    running = aiter(app.stream("triage", {"text": "x"}))
    first = await anext(running)

    proxy.break_all()
    await proxy.reached(2)
    thought.set()

    assert first.text == "It is "
    assert [piece.text async for piece in running] == ["a bug"]
    assert len(model.received) == 1


async def test_a_stream_that_breaks_between_all_its_pieces_is_whole(
    app: cuewire.App, model: ModelServer, proxy: BreakingProxy
) -> None:
    words = [f"word{number} " for number in range(8)]
    gates = [asyncio.Event() for _ in words]
    script: list[bytes | Action] = []
    for word, gate in zip(words, gates, strict=True):
        script += [delta(word), Until(gate)]
    model.script(stream(*script, *ENDING))
    text = ""

    async for piece in app.stream("triage", {"text": "x"}):
        text += piece.text
        proxy.break_all()
        await proxy.reached(len(text.split()) + 1)
        gates[len(text.split()) - 1].set()

    assert text == "".join(words)
    assert len(model.received) == 1


async def test_a_run_whose_answer_is_lost_brings_back_what_was_run(
    app: cuewire.App, model: ModelServer, proxy: BreakingProxy
) -> None:
    model.script(plain(completion("once")), plain(completion("twice")))
    proxy.break_next(0, 1, 500)

    result = await app.run("triage", {"text": "x"})

    assert (result.text, result.stored) == ("once", False)
    assert len(model.received) == 1
    assert len((await app.executions.list()).items) == 1


async def test_a_run_that_breaks_while_the_model_works_is_run_again_and_both_are_recorded(
    app: cuewire.App, model: ModelServer, proxy: BreakingProxy
) -> None:
    model.script([Hang()], plain(completion("again")))
    running = asyncio.ensure_future(app.run("triage", {"text": "x"}))
    await model.arrived.wait()

    proxy.break_all()
    result = await running

    assert result.text == "again"
    assert [one.status for one in (await app.executions.list()).items] == ["succeeded", "cancelled"]


async def test_a_server_killed_under_a_run_and_started_again_answers_it(
    app: cuewire.App, model: ModelServer, server: CuewireServer
) -> None:
    model.script([Hang()], plain(completion("again")))
    running = asyncio.ensure_future(app.run("triage", {"text": "x"}, idempotency_key="order-1"))
    await model.arrived.wait()

    server.kill()
    with pytest.raises(ServerUnavailable):
        await running
    await asyncio.to_thread(server.start)

    again = await app.run("triage", {"text": "x"}, idempotency_key="order-1")
    assert (again.text, again.stored) == ("again", False)
    assert sorted(one.status for one in (await app.executions.list()).items) == ["interrupted", "succeeded"]


async def test_a_stream_that_nobody_takes_up_again_is_cancelled_by_the_server(
    app: cuewire.App, model: ModelServer, proxy: BreakingProxy
) -> None:
    model.script(stream(delta("It is "), Hang()))
    running = app.stream("triage", {"text": "x"})
    pieces = aiter(running)
    await anext(pieces)

    proxy.break_next(0, 0, 0, 0)
    proxy.break_all()
    with pytest.raises(ServerUnavailable):
        await anext(pieces)

    async with asyncio.timeout(3 * LINGER_S):
        await model.received[0].hung_up.wait()
    (record,) = (await app.executions.list()).items
    assert record.status in ("running", "cancelled")  # its last write may be on its way


async def test_leaving_a_stream_early_cancels_it_and_its_record_says_so(app: cuewire.App, model: ModelServer) -> None:
    model.script(stream(delta("It is "), Hang()))
    running = app.stream("triage", {"text": "x"})
    await anext(aiter(running))

    await running.aclose()

    async with asyncio.timeout(3):
        await model.received[0].hung_up.wait()
    (record,) = (await app.executions.list()).items
    assert record.status == "cancelled"
