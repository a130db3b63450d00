"""Work that nobody waits for ends when its owner does, and what it raises is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cuewire.engine.background import Background


async def test_what_was_started_runs_beside_the_rest_and_all_of_it_can_be_awaited() -> None:
    background, done = Background(), list[int]()

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)
        if number < 3:
            background.start(work(number + 1))

    background.start(work(1))
    before = [*done]
    await background.settle()

    assert (before, done) == ([], [1, 2, 3])
    await background.settle()


async def test_closing_ends_what_is_under_way_and_waits_for_its_last_words() -> None:
    background, said = Background(), list[str]()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            said.append("ended")

    for _ in range(3):
        background.start(work())
    await asyncio.sleep(0)
    await background.close()

    assert said == ["ended"] * 3
    await background.close()


async def test_what_it_raises_is_told_as_of_any_task_and_stops_nothing_else() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    background, done = Background(), list[str]()

    async def wrong() -> None:
        raise LookupError("not there")

    async def right() -> None:
        await asyncio.sleep(0)
        done.append("right")

    background.start(wrong())
    background.start(right())
    await background.settle()

    assert done == ["right"]
    with pytest.raises(LookupError):
        raise told[0]["exception"]
