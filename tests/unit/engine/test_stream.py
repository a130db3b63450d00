from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from cuewire.engine.stream import _HIGH_WATER, ExecutionStream
from cuewire.model.errors import RateLimited
from cuewire.model.results import Result
from cuewire.model.usage import Usage

Listener = Callable[[str], Awaitable[None]]

RESULT = Result(
    id="018bcfe5-6800-7fff-bfff-ffffffffffff",
    value="ab",
    text="ab",
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


def speaking(*texts: str, error: Exception | None = None) -> Callable[[Listener], Coroutine[Any, Any, Result]]:
    async def run(listener: Listener) -> Result:
        for text in texts:
            await listener(text)
            await asyncio.sleep(0)
        if error:
            raise error
        return RESULT

    return run


async def test_pieces_join_to_the_answer_and_offsets_count_characters() -> None:
    stream = ExecutionStream(speaking("One ", "two ", "three"))

    pieces = [piece async for piece in stream]

    assert "".join(piece.text for piece in pieces) == "One two three"
    assert [piece.offset for piece in pieces] == [
        len("".join(earlier.text for earlier in pieces[:index])) for index in range(len(pieces))
    ]
    assert await stream.result() == RESULT


async def test_the_result_can_be_had_without_reading() -> None:
    assert await ExecutionStream(speaking("a", "b")).result() == RESULT


async def test_an_error_comes_after_what_had_arrived() -> None:
    stream = ExecutionStream(speaking("partial", error=RateLimited("slow down")))
    pieces = aiter(stream)

    first = await anext(pieces)

    assert first.text == "partial"
    with pytest.raises(RateLimited):
        await anext(pieces)
    with pytest.raises(RateLimited):
        await stream.result()


async def test_a_slow_reader_holds_the_upstream_back() -> None:
    sent = 0

    async def run(listener: Listener) -> Result:
        nonlocal sent
        for _ in range(100):
            await listener("x" * (_HIGH_WATER // 4))
            sent += 1
        return RESULT

    stream = ExecutionStream(run)
    pieces = aiter(stream)
    await anext(pieces)
    for _ in range(50):
        await asyncio.sleep(0)

    assert sent < 12
    assert (await stream.result()) == RESULT
    assert sent == 100


async def test_leaving_the_loop_cancels_the_execution() -> None:
    cancelled = asyncio.Event()

    async def run(listener: Listener) -> Result:
        await listener("first")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return RESULT

    async for _ in ExecutionStream(run):
        break

    await asyncio.wait_for(cancelled.wait(), 3)
    assert cancelled.is_set()


async def test_closing_before_the_start_and_after_the_end_does_nothing() -> None:
    stream = ExecutionStream(speaking("a"))

    await stream.aclose()
    result = await stream.result()
    await stream.aclose()

    assert result == RESULT
