"""The loop under the blocking App ends, and whoever asks it for something then or later is told so."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from cuewire.blocking import Loop

SOON_S = 10.0


async def endless() -> None:
    await asyncio.Event().wait()


async def one() -> int:
    return 1


def test_what_still_runs_when_the_loop_ends_is_cancelled_and_told_so() -> None:
    loop, begun = Loop(), Event()

    async def work() -> None:
        begun.set()
        await endless()

    with ThreadPoolExecutor(1) as threads:
        working = threads.submit(lambda: loop.run(work()))
        assert begun.wait(SOON_S)
        loop.stop()

        with pytest.raises(RuntimeError, match="this App is closed"):
            working.result(SOON_S)


def test_a_loop_that_has_ended_takes_nothing_more() -> None:
    loop = Loop()
    assert loop.run(one()) == 1

    loop.stop()

    with pytest.raises(RuntimeError, match="this App is closed"):
        loop.run(one())


def test_whoever_asks_while_the_loop_ends_is_answered_or_refused() -> None:
    for _ in range(50):
        loop, begin = Loop(), Barrier(5)

        def ask(loop: Loop = loop, begin: Barrier = begin) -> int:
            begin.wait(SOON_S)
            answers = 0
            try:
                while True:
                    answers += loop.run(one())
            except RuntimeError:
                return answers

        with ThreadPoolExecutor(4) as threads:
            asking = [threads.submit(ask) for _ in range(4)]
            begin.wait(SOON_S)
            loop.stop()
            assert all(each.result(SOON_S) >= 0 for each in asking)
