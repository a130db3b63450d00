"""Runs the prompts that judge candidates: executions of their own, for the one that they judge for."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from msgspec.structs import replace

from cuewire.engine.budgets import CallBudget
from cuewire.engine.select import AskJudge, Judged
from cuewire.model.errors import CuewireError
from cuewire.model.executions import Failure, Opening
from cuewire.model.failures import failure_of
from cuewire.model.orders import Order, parse_order
from cuewire.model.outputs import BooleanOutput, JsonOutput, OutputKind
from cuewire.model.policies import is_single
from cuewire.model.prompts import Inputs, PromptVersion
from cuewire.model.results import Result
from cuewire.registry.resolver import Resolver


class RunJudge(Protocol):
    """Runs a version to judge for an execution."""

    def __call__(self, order: Order, version: PromptVersion, *, parent: Opening) -> Awaitable[Result]:
        """Return the result when its record is durable. Costs money. Raises CuewireError."""
        ...


class Judging:
    """Finds and runs judges."""

    def __init__(self, resolver: Resolver, run: RunJudge) -> None:
        self._resolver = resolver
        self._run = run

    def of(self, parent: Opening, calls: CallBudget) -> AskJudge:
        """Return the way to ask judges for an execution, from whose budget each takes a call."""

        async def ask(prompt: str, inputs: Inputs, output: JsonOutput) -> Judged:
            if not calls.take():
                return _failed("no_calls_left", "the plan allows no further call")
            try:
                return await self._judged(prompt, inputs, output, parent)
            except CuewireError as error:
                _, failure = failure_of(error)
                return Judged(failure=failure, execution_id=error.execution_id, cost_usd=_cost_of(error))

        return ask

    async def agrees(self, prompt: str, inputs: Inputs, *, parent: Opening) -> bool:
        """Tell whether a prompt answers yes for an execution. Costs money. Raises CuewireError."""
        return (await self._judged(prompt, inputs, BooleanOutput(), parent)).value is True

    async def _judged(self, prompt: str, inputs: Inputs, output: OutputKind, parent: Opening) -> Judged:
        order = parse_order(prompt, None)
        version = await self._resolver.resolve(order.reference)
        if not is_single(version.policy):
            return _failed("judge_not_single", f"judge {prompt!r} has several candidates itself")
        read = {name: value for name, value in inputs.items() if name in version.variables}
        asked = replace(order, inputs=read)
        result = await self._run(asked, replace(version, output=output), parent=parent)
        return Judged(value=result.value, execution_id=result.id, cost_usd=result.cost_usd)


def _failed(code: str, message: str) -> Judged:
    return Judged(failure=Failure(code=code, message=message), execution_id=None, cost_usd=0.0)


def _cost_of(error: CuewireError) -> float | None:
    """Return what is known of the cost of an execution that failed: that there was none, if none was opened."""
    return None if error.execution_id else 0.0
