"""An event loop that does not wait: where nothing else is left to do, the time that something waits for has passed."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Skips the time that it is told to wait."""

    skipped_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self.skipped_s += timeout
        return ready


class _HurriedLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._skipping = _Selector()
        super().__init__(self._skipping)

    def time(self) -> float:
        return super().time() + self._skipping.skipped_s


def hurried(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end without waiting for any clock."""
    with asyncio.Runner(loop_factory=_HurriedLoop) as runner:
        return runner.run(main)
