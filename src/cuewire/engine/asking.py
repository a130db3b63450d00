"""From an order to its answer: what is asked is rendered, who is asked is planned, and then they are asked."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from cuewire.engine.answers import answer
from cuewire.engine.budgets import CallBudget
from cuewire.engine.candidate import Again, Means, Task
from cuewire.engine.judging import Judging
from cuewire.engine.messages import render_messages
from cuewire.engine.plan import Scene, make_plan
from cuewire.engine.record import OpenRecord
from cuewire.engine.scene import Scenes
from cuewire.engine.spend import Spending
from cuewire.engine.worst import check_worst, worst_cost_usd
from cuewire.model.candidates import CandidateEnd
from cuewire.model.orders import Order
from cuewire.model.plans import Plan
from cuewire.model.prompts import Inputs, PromptVersion
from cuewire.model.requests import ChatMessage
from cuewire.ports import Clock, Listener, PriceBook, Providers, Renderer
from cuewire.registry.inputs import check_inputs

PRIOR = "prior_candidates"
"""The input by which a template reads how the candidates of earlier groups ended; the engine gives it."""

MAX_PLANS = 1_000


class Run(NamedTuple):
    """A run that has its record: what is wanted, of which version, and who hears the answer as it arrives."""

    order: Order
    version: PromptVersion
    record: OpenRecord
    listener: Listener | None = None


class Prepared(NamedTuple):
    """What a run asks before its first call."""

    inputs: Inputs
    messages: tuple[ChatMessage, ...]
    plan: Plan


class AskingParts(msgspec.Struct, frozen=True, kw_only=True):
    """What asking needs."""

    scenes: Scenes
    renderer: Renderer
    providers: Providers
    prices: PriceBook
    means: Means
    judging: Judging
    spending: Spending
    clock: Clock


class Asking:
    """Prepares runs, and gets their answers."""

    def __init__(self, parts: AskingParts) -> None:
        self._scenes = parts.scenes
        self._renderer = parts.renderer
        self._providers = parts.providers
        self._prices = parts.prices
        self._means = parts.means
        self._judging = parts.judging
        self._spending = parts.spending
        self._clock = parts.clock
        self._plans: dict[int, Plan] = {}

    async def plan(self, order: Order, version: PromptVersion) -> Plan:
        """Return what a run would lead to, and what it can cost. Raises what the run would before its first call."""
        inputs = check_inputs(version, _with_prior(version, order.inputs, ()))
        messages = await render_messages(version, inputs, self._renderer, at=self._clock.now())
        plan = self._planned(order, version, await self._scene(order))
        worst_usd, why = self._worst(plan, version, messages)
        check_worst(version.policy, worst_usd, why)
        notes = (*plan.notes, *([f"what it can cost at most is not known: {why}"] if why else []))
        return replace(plan, max_usd=worst_usd, notes=notes)

    async def answer(self, run: Run) -> tuple[Any, bool]:
        """Return the value of the answer, and whether it has the form that was asked for; raises why there is none."""
        return await self.ask(run, await self.prepare(run))

    async def prepare(self, run: Run) -> Prepared:
        """Render what is asked, and plan who is asked."""
        order, version, record, _ = run
        inputs = check_inputs(version, _with_prior(version, order.inputs, ()))
        messages = await self._messages(version, inputs, record)
        record.rendered(messages)
        scene = self._scenes.nowhere if order.configuration is None else await self._scene(order)
        plan = self._planned(order, version, scene)
        if version.policy.max_usd is not None:
            check_worst(version.policy, *self._worst(plan, version, messages))
        return Prepared(inputs, messages, plan)

    async def ask(self, run: Run, prepared: Prepared) -> tuple[Any, bool]:
        """Return what `answer` does, for a run that is prepared."""
        order, version, record, listener = run
        inputs, messages, plan = prepared
        if self._spending.is_capped:
            worst = partial(self._worst, plan, version, messages)
            record.reserve(await self._spending.reserve(record.opening, worst))
        task = Task(
            policy=version.policy,
            output=version.output,
            messages=messages,
            record=record,
            calls=CallBudget(plan.max_calls),
            again=self._again(version, inputs, record) if PRIOR in version.variables else None,
            listener=listener,
            ends_at=None if order.timeout_s is None else record.began + order.timeout_s,
        )
        return await answer(plan, task, self._means, self._judging)

    async def _scene(self, order: Order) -> Scene:
        return self._scenes.nowhere if order.configuration is None else await self._scenes.of(order.configuration)

    def _planned(self, order: Order, version: PromptVersion, scene: Scene) -> Plan:
        """Plan who is asked. Raises ModelNotFound, before the first call, for one of several whose provider is gone.

        A plan follows from what it is made of, and a version never changes: that of a run as the version says is kept.
        """
        is_as_stored = scene is self._scenes.nowhere and not (order.model or order.models or order.parameters)
        if is_as_stored and (kept := self._plans.get(version.id)):
            return kept
        plan = make_plan(version, model=order.model, models=order.models, parameters=order.parameters, scene=scene)
        if plan.only is None:
            for candidate in plan.candidates:
                for model in (candidate.model, *candidate.fallbacks):
                    self._providers.get(model.provider)
        if is_as_stored:
            if len(self._plans) >= MAX_PLANS:
                self._plans.clear()
            self._plans[version.id] = plan
        return plan

    def _again(self, version: PromptVersion, inputs: Mapping[str, Any], record: OpenRecord) -> Again:
        def again(prior: Sequence[CandidateEnd]) -> Awaitable[tuple[ChatMessage, ...]]:
            return self._messages(version, _with_prior(version, inputs, prior), record)

        return again

    def _worst(self, plan: Plan, version: PromptVersion, messages: Sequence[ChatMessage]) -> tuple[float | None, str]:
        if PRIOR in version.variables and len(plan.groups) > 1:
            return None, "later groups read the answers of earlier ones"
        now = self._clock.now()
        return worst_cost_usd(plan, version.policy, messages, lambda model: self._prices.rates(model, now))

    def _messages(
        self, version: PromptVersion, inputs: Mapping[str, Any], record: OpenRecord
    ) -> Awaitable[tuple[ChatMessage, ...]]:
        return render_messages(version, inputs, self._renderer, at=record.opening.started_at)


def _with_prior(version: PromptVersion, inputs: Mapping[str, Any], prior: Sequence[CandidateEnd]) -> Mapping[str, Any]:
    """Return the inputs with how earlier candidates ended, where the version reads that."""
    if PRIOR not in version.variables:
        return inputs
    told = [{"text": end.text or "", "value": end.value, "valid": end.status == "valid"} for end in prior]
    return {**inputs, PRIOR: told}
