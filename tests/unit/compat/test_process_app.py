"""One opening for all threads, tried again after it failed, closed when it is told to. The App is a stand-in."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, cast

import pytest

from cuewire.compat.process_app import ProcessApp
from cuewire.engine.app import LocalApp
from cuewire.model.errors import StoreUnavailable


class Openings:
    """What opens an App; the first ones fail."""

    def __init__(self, *, failures: int = 0) -> None:
        self.failures = failures
        self.count = 0
        self.closed = 0

    async def __call__(self) -> LocalApp:
        self.count += 1
        await asyncio.sleep(0.01)
        if self.count <= self.failures:
            raise StoreUnavailable("away")
        return cast(LocalApp, self)

    async def close(self) -> None:
        await asyncio.to_thread(lambda: None)
        self.closed += 1


async def number(app: Any) -> int:
    count: int = app.count
    return count


def test_threads_that_begin_at_once_share_one_opening() -> None:
    openings = Openings()
    app, begin = ProcessApp(openings), Barrier(5)

    def ask(_: int) -> int:
        begin.wait()
        return app.run(number)

    with ThreadPoolExecutor(5) as threads:
        numbers = list(threads.map(ask, range(5)))
    app.close()

    assert numbers == [1] * 5
    assert (openings.count, openings.closed) == (1, 1)


def test_an_opening_that_failed_is_not_tried_again_at_once() -> None:
    openings = Openings(failures=1)
    app = ProcessApp(openings)

    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            app.run(number)
    app.close()

    assert (openings.count, openings.closed) == (1, 0)


def test_an_opening_that_failed_is_tried_again_later() -> None:
    app = ProcessApp(Openings(failures=2), retry_s=0.0)

    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            app.run(number)

    assert app.run(number) == 3
    app.close()


def test_it_opens_anew_after_it_was_closed() -> None:
    openings = Openings()
    app = ProcessApp(openings)

    numbers = []
    for _ in range(2):
        numbers.append(app.run(number))
        app.close()
        app.close()

    assert numbers == [1, 2]
    assert openings.closed == 2


def test_what_the_work_raises_reaches_who_asked_and_nobody_else() -> None:
    app = ProcessApp(Openings())

    async def fail(_: LocalApp) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        app.run(fail)

    assert app.run(number) == 1
    app.close()


def test_closing_waits_for_work_in_flight() -> None:
    app, ended = ProcessApp(Openings()), list[bool]()

    async def work(_: LocalApp) -> None:
        begun.wait()
        await asyncio.sleep(0.05)
        ended.append(True)

    begun = Barrier(2)
    with ThreadPoolExecutor(1) as thread:
        working = thread.submit(app.run, work)
        begun.wait()
        app.close()
        assert ended == [True]
        assert working.result() is None
