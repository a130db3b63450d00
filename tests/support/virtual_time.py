"""An event loop on which time passes only while everybody sleeps, and then at once; and the clock that goes with it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, TypeVar

from cuewire.clock import SystemClock

T = TypeVar("T")
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that jumps to the next timer instead of waiting for it. Nothing outside of the process fits in."""

    def __init__(self) -> None:
        self._selector_of_time = _Jumping(self)
        self.now = 0.0
        super().__init__(self._selector_of_time)

    def time(self) -> float:
        return self.now


class _Jumping(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        found = super().select(0)
        if not found:
            assert timeout is not None, "everybody waits for something that will never happen"
            self._loop.now += max(timeout, 0.0)
        return found


class VirtualClock(SystemClock):
    """The clock of such a loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop or asyncio.get_running_loop()

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()


def run_virtually(trip: Coroutine[Any, Any, T]) -> T:
    """Run to the end, in no time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(trip)


def virtually(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on virtual time."""

    @wraps(test)
    def run(*arguments: Any, **named: Any) -> None:
        run_virtually(test(*arguments, **named))

    return run
