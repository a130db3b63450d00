"""A deterministic stage timer: charges the CPU of one thread to the innermost stage that runs.

A stage is a function or coroutine function, wrapped where it is looked up. A coroutine is charged for each
step that it runs, never for the time that it waits. What the clock itself costs is measured and taken off.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from time import thread_time_ns
from typing import Any

LOOP = "event loop, callbacks, kernel"
TRIALS = 20_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What the clock adds: to the stage of a step, to the stage around it, and there for each coroutine."""

    inside_ns: float
    around_ns: float
    coroutine_ns: float


class StageClock:
    """Exclusive CPU nanoseconds by stage, of the thread that uses it."""

    def __init__(self) -> None:
        self._stack = [LOOP]
        self._last = thread_time_ns()
        self.spent_ns: dict[str, int] = {LOOP: 0}
        self.steps: dict[str, int] = {LOOP: 0}
        self.steps_inside: dict[str, int] = {LOOP: 0}
        self.coroutines_inside: dict[str, int] = {LOOP: 0}

    def enter(self, stage: str) -> None:
        """Charge the time so far to the stage that ran, and begin another."""
        now = thread_time_ns()
        around = self._stack[-1]
        self.spent_ns[around] += now - self._last
        self.steps_inside[around] += 1
        self.steps[stage] += 1
        self._stack.append(stage)
        self._last = thread_time_ns()

    def leave(self) -> None:
        """Charge the time so far to the stage that ends, and return to the one around it."""
        now = thread_time_ns()
        self.spent_ns[self._stack.pop()] += now - self._last
        self._last = thread_time_ns()

    def reset(self) -> None:
        """Forget what was charged."""
        for counts in self._counts():
            counts.update(dict.fromkeys(counts, 0))
        self._last = thread_time_ns()

    def wrap(self, stage: str, target: str) -> None:
        """Put the clock around `package.module:name` or `package.module:Class.name`."""
        module, _, path = target.partition(":")
        *owners, name = path.split(".")
        owner: Any = import_module(module)
        for part in owners:
            owner = getattr(owner, part)
        setattr(owner, name, self.around(stage, getattr(owner, name)))

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Give the function with the clock around each of its steps."""
        for counts in self._counts():
            counts.setdefault(stage, 0)
        if not inspect.iscoroutinefunction(function):
            return self._around_function(stage, function)

        @wraps(function)
        async def timed(*args: Any, **kwargs: Any) -> Any:
            self.coroutines_inside[self._stack[-1]] += 1
            return await self._stepped(stage, function(*args, **kwargs))

        return timed

    def without_own_cost_ns(self, cost: Cost) -> dict[str, float]:
        """Give the nanoseconds by stage, what the clock itself costs taken off."""
        return {
            stage: spent
            - self.steps[stage] * cost.inside_ns
            - self.steps_inside[stage] * cost.around_ns
            - self.coroutines_inside[stage] * cost.coroutine_ns
            for stage, spent in self.spent_ns.items()
        }

    def _counts(self) -> tuple[dict[str, int], ...]:
        return self.spent_ns, self.steps, self.steps_inside, self.coroutines_inside

    def _around_function(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            self.enter(stage)
            try:
                return function(*args, **kwargs)
            finally:
                self.leave()

        return timed

    @types.coroutine
    def _stepped(self, stage: str, coroutine: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
        error: BaseException | None = None
        sent: Any = None
        while True:
            self.enter(stage)
            try:
                waits_for = coroutine.send(sent) if error is None else coroutine.throw(error)
            except StopIteration as end:
                return end.value
            finally:
                self.leave()
            try:
                sent, error = (yield waits_for), None
            except BaseException as thrown:  # noqa: BLE001 - whatever it is belongs to the coroutine inside
                error = thrown


def measure_cost() -> Cost:
    """Measure what the clock costs, on functions that do nothing, each bare and timed."""
    function_ns, coroutine_ns = _bare_ns(_call_many, _nothing), _bare_ns(_await_many, _nothing_later)
    inside_ns, around_ns = _timed_ns(_call_many, _nothing)
    _, around_coroutine_ns = _timed_ns(_await_many, _nothing_later)
    # What the bare function does itself falls inside the step when it is timed.
    return Cost(
        inside_ns=inside_ns,
        around_ns=max(around_ns - function_ns, 0.0),
        coroutine_ns=max(around_coroutine_ns - coroutine_ns - max(around_ns - function_ns, 0.0), 0.0),
    )


def _bare_ns(many: Callable[[Callable[[], Any]], None], function: Callable[[], Any]) -> float:
    before = thread_time_ns()
    many(function)
    return (thread_time_ns() - before) / TRIALS


def _timed_ns(many: Callable[[Callable[[], Any]], None], function: Callable[[], Any]) -> tuple[float, float]:
    """Give the nanoseconds per call inside the step and around it."""
    clock = StageClock()
    timed = clock.around("step", function)
    clock.reset()
    many(timed)
    spent_around = clock.spent_ns[LOOP]
    return clock.spent_ns["step"] / TRIALS, spent_around / TRIALS


def _call_many(function: Callable[[], Any]) -> None:
    for _ in range(TRIALS):
        function()


def _await_many(function: Callable[[], Any]) -> None:
    async def await_all() -> None:
        for _ in range(TRIALS):
            await function()

    with suppress(StopIteration):
        await_all().send(None)


def _nothing() -> None:
    """Do nothing, to time what surrounds it."""


async def _nothing_later() -> None:
    """Do nothing, to time what surrounds it."""
