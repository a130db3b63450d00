"""The test cases that a version must pass before a protected label may move to it, each a recorded run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from cuewire.engine.run import Engine
from cuewire.model.errors import CuewireError
from cuewire.model.orders import parse_order
from cuewire.model.results import Result
from cuewire.model.reviews import Check, CheckResult, Review

AT_ONCE = 4
TIMEOUT_S = 120.0
MAX_REASON = 500


async def run_checks(engine: Engine, review: Review, checks: Sequence[Check]) -> tuple[CheckResult, ...]:
    """Run the test cases on the version of a review, four at a time, and return how they went, in their order.

    Costs money at the provider. What goes wrong with a run is why its case failed.
    """
    places = asyncio.Semaphore(AT_ONCE)

    async def one(check: Check) -> CheckResult:
        async with places:
            return await _run(engine, review, check)

    async with asyncio.TaskGroup() as group:
        running = [group.create_task(one(check)) for check in checks]
    return tuple(task.result() for task in running)


async def _run(engine: Engine, review: Review, check: Check) -> CheckResult:
    try:
        order = parse_order(
            f"{review.prompt_id}@{review.number}",
            check.inputs,
            metadata={"purpose": "check", "review": review.id},
            timeout_s=TIMEOUT_S,
        )
        result = await engine.run(order)
    except CuewireError as error:
        reason = f"{error.code}: {error.message}"[:MAX_REASON]
        return _result(check, reason, error.execution_id)
    return _result(check, why_failed(check, result), result.id)


def _result(check: Check, reason: str, execution_id: str | None) -> CheckResult:
    return CheckResult(
        name=check.name, passed=not reason, reason=reason, execution_id=execution_id, digest=check.digest
    )


def why_failed(check: Check, result: Result) -> str:
    """Return why a result does not pass, "" if it does."""
    if check.expected is not None and not _same(check.expected, result.value):
        return f"the value is {result.value!r:.200}, not {check.expected!r:.200}"
    absent = [text for text in check.contains if text not in result.text]
    return f"the answer does not hold {', '.join(map(repr, absent))}"[:MAX_REASON] if absent else ""


def _same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal: 1 is 1.0, but neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
