"""A streamed execution: readers are places in its text, and it lives as long as somebody reads, or a little longer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from cuewire.engine.stream import ExecutionStream
from cuewire.model.errors import InvalidInput, RateLimited
from cuewire.model.results import Result
from cuewire.model.usage import Usage
from cuewire.ports import Listener
from cuewire.server.running import Running, StreamedExecution
from cuewire.wire.executions import ResultShape
from cuewire.wire.problems import Problem
from cuewire.wire.streams import HEARTBEAT, Event, EventReader, PieceShape

RESULT = Result(
    id="018bcfe5-6800-7fff-bfff-ffffffffffff",
    value="abc",
    text="abc",
    prompt="greet",
    version=1,
    model="scripted/x",
    finish_reason="stop",
    usage=Usage(),
    cost_usd=0.0,
    cost_basis="",
    duration_ms=1.0,
    first_token_ms=None,
)


class Model:
    """Says each text when it is told to, and notes how it ended."""

    def __init__(self) -> None:
        self.says: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self.was_cancelled = False

    async def run(self, listener: Listener) -> Result:
        try:
            while (said := await self.says.get()) is not None:
                if isinstance(said, Exception):
                    raise said
                await listener(said)
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        return RESULT

    def stream(self, *, linger_s: float = 0.0) -> StreamedExecution:
        return StreamedExecution(ExecutionStream(self.run), linger_s=linger_s)


async def read(events: AsyncGenerator[bytes]) -> list[Event]:
    reader = EventReader()
    return [event async for data in events for event in reader.feed(data)]


async def test_each_reader_gets_all_from_its_place_on() -> None:
    model = Model()
    streamed = model.stream()
    first = streamed.events(after=0)
    model.says.put_nowait("abc")
    assert b'"abc"' in await anext(first)

    second = asyncio.create_task(read(streamed.events(after=2)))
    model.says.put_nowait("de")
    model.says.put_nowait(None)

    assert await read(first) == [PieceShape(text="de", offset=3), ResultShape.of(RESULT)]
    assert "".join(event.text for event in await second if isinstance(event, PieceShape)) == "cde"


async def test_what_arrives_while_a_reader_is_busy_is_one_piece() -> None:
    model = Model()
    streamed = model.stream()
    events = streamed.events(after=0)
    model.says.put_nowait("a")
    await anext(events)

    for text in ("b", "c", "d", None):
        model.says.put_nowait(text)
    await asyncio.wait([streamed.task])

    assert await read(events) == [PieceShape(text="bcd", offset=1), ResultShape.of(RESULT)]


async def test_silence_is_filled_with_heartbeats() -> None:
    events = Model().stream().events(after=0, beat_s=0.001)

    assert [await anext(events), await anext(events)] == [HEARTBEAT, HEARTBEAT]
    await events.aclose()


async def test_a_failure_is_the_last_event() -> None:
    model = Model()
    events = model.stream().events(after=0)
    model.says.put_nowait(RateLimited("slow down"))

    (problem,) = await read(events)

    assert isinstance(problem, Problem)
    assert problem.code == "rate_limited"


async def test_a_place_that_the_text_has_not_reached_is_refused() -> None:
    streamed = Model().stream(linger_s=60)

    with pytest.raises(InvalidInput):
        await anext(streamed.events(after=7))
    streamed.task.cancel()


async def test_when_the_last_reader_leaves_the_execution_is_cancelled() -> None:
    model = Model()
    streamed = model.stream()
    first, second = streamed.events(after=0), streamed.events(after=0)
    model.says.put_nowait("a")
    await anext(first)
    await anext(second)

    await first.aclose()
    assert not model.was_cancelled
    await second.aclose()
    await asyncio.wait([streamed.task])
    await asyncio.sleep(0)

    assert model.was_cancelled


async def test_an_execution_that_lingers_can_be_taken_up_again() -> None:
    model = Model()
    streamed = model.stream(linger_s=60)
    events = streamed.events(after=0)
    model.says.put_nowait("a")
    await anext(events)
    await events.aclose()

    later = asyncio.create_task(read(streamed.events(after=1)))
    await asyncio.sleep(0)
    model.says.put_nowait("b")
    model.says.put_nowait(None)

    assert await later == [PieceShape(text="b", offset=1), ResultShape.of(RESULT)]


async def test_at_the_end_what_runs_is_waited_for_and_then_cancelled() -> None:
    quick, slow = Model(), Model()
    running = Running()
    for name, model in (("quick", quick), ("slow", slow)):
        streamed = model.stream(linger_s=60)
        running.add(name, streamed.task, streamed=streamed)
    quick.says.put_nowait(None)

    await running.end(patience_s=0.05)

    assert (quick.was_cancelled, slow.was_cancelled) == (False, True)
    assert len(running) == 0
    assert running.streamed("slow") is None


async def test_what_begins_after_the_end_is_cancelled() -> None:
    running = Running()
    await running.end(patience_s=0.05)
    begun = asyncio.create_task(asyncio.sleep(60))

    running.add("late", begun)

    with pytest.raises(asyncio.CancelledError):
        await begun
    assert len(running) == 0


async def test_the_first_of_two_runs_under_one_id_is_the_one_to_cancel() -> None:
    first, second = Model(), Model()
    running = Running()
    streams = [first.stream(linger_s=60), second.stream(linger_s=60)]
    for streamed in streams:
        running.add("one", streamed.task, streamed=streamed)
        await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert await running.cancel("one")
    assert not await running.cancel("one")

    assert (first.was_cancelled, second.was_cancelled) == (True, False)
    await streams[1].cancel()


async def test_an_execution_cancelled_before_its_first_step_ends_too() -> None:
    streamed = Model().stream(linger_s=60)

    await streamed.cancel()

    (problem,) = await read(streamed.events(after=0))
    assert isinstance(problem, Problem)
    assert problem.code == "cancelled"
