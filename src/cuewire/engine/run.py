"""One execution, from order to durable record. Reads as a table of contents: one line per step of the trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from cuewire.engine.answers import answer
from cuewire.engine.breaker import Breakers
from cuewire.engine.budgets import CallBudget, RetryBudgets
from cuewire.engine.cache import Flight, ResultCache
from cuewire.engine.call import Caller, CallPlace
from cuewire.engine.candidate import Again, Means, Task
from cuewire.engine.judging import Judging
from cuewire.engine.messages import render_messages
from cuewire.engine.plan import make_plan
from cuewire.engine.record import OpenRecord, Records
from cuewire.engine.scene import Scenes
from cuewire.engine.stored import StoredResults
from cuewire.engine.worst import check_worst, worst_cost_usd
from cuewire.model.cache import CacheEntry
from cuewire.model.candidates import CandidateEnd
from cuewire.model.embeddings import Embeddable, Embedded, EmbeddingRequest, Embeddings
from cuewire.model.entries import Entry
from cuewire.model.errors import ProviderTimeout
from cuewire.model.orders import Order
from cuewire.model.plans import Plan
from cuewire.model.prompts import PromptVersion
from cuewire.model.requests import ChatMessage
from cuewire.model.results import Answer, Result
from cuewire.ports import Clock, ExecutionStore, Listener, PriceBook, Providers, Recorder, Renderer
from cuewire.registry.inputs import check_inputs
from cuewire.registry.resolver import Resolver

T = TypeVar("T")
PRIOR = "prior_candidates"
"""The input by which a template reads how the candidates of earlier groups ended; the engine gives it."""


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """All that an execution needs from outside, joined by `wiring.py`."""

    resolver: Resolver
    scenes: Scenes
    renderer: Renderer
    providers: Providers
    cache: ResultCache
    prices: PriceBook
    recorder: Recorder
    executions: ExecutionStore
    clock: Clock


class _Prepared(NamedTuple):
    """A run before its first call."""

    inputs: Mapping[str, Any]
    messages: tuple[ChatMessage, ...]
    plan: Plan


class Engine:
    """Runs executions, any number at a time."""

    def __init__(self, surroundings: Surroundings) -> None:
        clock = surroundings.clock
        self._resolver = surroundings.resolver
        self._scenes = surroundings.scenes
        self._cache = surroundings.cache
        self._renderer = surroundings.renderer
        self._prices = surroundings.prices
        self._providers = surroundings.providers
        self._clock = clock
        self._records = Records(surroundings.recorder, clock)
        self._caller = Caller(surroundings.providers, surroundings.prices, clock)
        self.breakers = Breakers(clock=clock)
        self._means = Means(
            caller=self._caller,
            breakers=self.breakers,
            retries=RetryBudgets(),
            clock=clock,
            windows=surroundings.scenes.windows,
        )
        self._stored = StoredResults(surroundings.executions)
        self._judging = Judging(surroundings.resolver, self.judge)

    async def run(
        self, order: Order, *, listener: Listener | None = None, on_open: Callable[[str], None] | None = None
    ) -> Result:
        """Run an order; with a listener the answer also goes there as it arrives.

        `on_open` is told the id of the execution whose result this will be. Returns when the record is durable. Errors
        raised after the record was opened are recorded and carry its id.
        """
        version = await self._resolver.resolve(order.reference)
        while isinstance(record := await self._records.open(order, version), str):
            if result := await self._stored.replay(record, listener=listener):
                if on_open:
                    on_open(record)
                return result
        if on_open:
            on_open(record.opening.id)
        return await self._run(order, version, record, listener)

    async def plan(self, order: Order) -> Plan:
        """Return what a run of the order may lead to; nothing is called, and nothing is recorded.

        Raises what a run would raise before its first call.
        """
        version = await self._resolver.resolve(order.reference)
        inputs = check_inputs(version, _with_prior(version, order.inputs, ()))
        messages = await render_messages(version, inputs, self._renderer, at=self._clock.now())
        plan = await self._planned(order, version)
        worst_usd, why = self._worst(plan, version, messages)
        check_worst(version.policy, worst_usd, why)
        notes = (*plan.notes, *([f"what it can cost at most is not known: {why}"] if why else []))
        return replace(plan, max_usd=worst_usd, notes=notes)

    async def judge(self, order: Order, version: PromptVersion, *, parent_id: str) -> Result:
        """Run an order to judge the candidates of another execution."""
        record = await self._records.open(order, version, parent_id=parent_id)
        assert isinstance(record, OpenRecord), "an order without an idempotency key opens a record"
        return await self._run(order, version, record, None)

    async def embed(
        self, order: Order, inputs: tuple[Embeddable, ...], *, on_open: Callable[[str], None] | None = None
    ) -> Embedded:
        """Turn texts into vectors: the same trip without a template. The vectors go to the caller alone.

        The order has no idempotency key, because no vectors are kept that it could bring back.
        """
        version = await self._resolver.resolve(order.reference)
        record = await self._records.open(order, version)
        assert isinstance(record, OpenRecord), "an order without an idempotency key opens a record"
        if on_open:
            on_open(record.opening.id)
        embeddings = await _recorded(self._embed(order, version, record, inputs), record, order.timeout_s)
        vectors = embeddings.vectors
        result = await record.succeed({"vectors": len(vectors), "dimensions": embeddings.dimensions})
        return Embedded(vectors=vectors, result=result)

    async def log(self, entry: Entry) -> str:
        """Store the record of an execution that ran elsewhere, and return its id when it is durable."""
        version = await self._resolver.resolve(entry.reference)
        return await self._records.log(entry, version)

    async def _run(self, order: Order, version: PromptVersion, record: OpenRecord, listener: Listener | None) -> Result:
        if version.policy.cache is not None:
            return await self._run_once(order, version, record, listener)
        value, is_valid = await _recorded(self._answer(order, version, record, listener), record, order.timeout_s)
        return await record.succeed(value, valid=is_valid)

    async def _run_once(
        self, order: Order, version: PromptVersion, record: OpenRecord, listener: Listener | None
    ) -> Result:
        """Run what may have been answered before, or is being answered to somebody else right now."""
        trip = self._found_or_answered(order, version, record, listener)
        value, is_valid, flight = await _recorded(trip, record, order.timeout_s)
        try:
            result = await record.succeed(value, valid=is_valid)
            if flight is not None:
                await flight.keep(result)
        finally:
            if flight is not None:
                flight.end()
        return result

    async def _found_or_answered(
        self, order: Order, version: PromptVersion, record: OpenRecord, listener: Listener | None
    ) -> tuple[Any, bool, Flight | None]:
        """Return what `_answer` returns, and the flight of this run if others may wait for its answer."""
        asked = await self._prepared(order, version, record)
        key = await self._cache.key(order, version, asked.plan, asked.messages)
        if key is None:
            return *await self._asked(asked, version, record, listener), None
        found = await self._cache.find(key, version)
        if isinstance(found, CacheEntry):
            record.hit(found)
            if listener is not None:
                await listener(found.text)
            return found.value, True, None
        try:
            return *await self._asked(asked, version, record, listener), found
        except BaseException:
            found.end()
            raise

    async def _answer(
        self, order: Order, version: PromptVersion, record: OpenRecord, listener: Listener | None
    ) -> tuple[Any, bool]:
        return await self._asked(await self._prepared(order, version, record), version, record, listener)

    async def _prepared(self, order: Order, version: PromptVersion, record: OpenRecord) -> _Prepared:
        """Render what is asked, and plan who is asked."""
        inputs = check_inputs(version, _with_prior(version, order.inputs, ()))
        messages = await self._messages(version, inputs, record)
        record.rendered(messages)
        plan = await self._planned(order, version)
        if version.policy.max_usd is not None:
            check_worst(version.policy, *self._worst(plan, version, messages))
        return _Prepared(inputs, messages, plan)

    async def _planned(self, order: Order, version: PromptVersion) -> Plan:
        """Plan who is asked. Raises ModelNotFound, before the first call, for one of several whose provider is gone."""
        scene = self._scenes.nowhere if order.configuration is None else await self._scenes.of(order.configuration)
        plan = make_plan(version, model=order.model, parameters=order.parameters, scene=scene)
        if plan.only is None:
            for candidate in plan.candidates:
                for model in (candidate.model, *candidate.fallbacks):
                    self._providers.get(model.provider)
        return plan

    async def _asked(
        self, prepared: _Prepared, version: PromptVersion, record: OpenRecord, listener: Listener | None
    ) -> tuple[Any, bool]:
        inputs, messages, plan = prepared
        task = Task(
            policy=version.policy,
            output=version.output,
            messages=messages,
            record=record,
            calls=CallBudget(plan.max_calls),
            again=self._again(version, inputs, record) if PRIOR in version.variables else None,
            listener=listener,
        )
        return await answer(plan, task, self._means, self._judging)

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

    async def _embed(
        self, order: Order, version: PromptVersion, record: OpenRecord, inputs: tuple[Embeddable, ...]
    ) -> Embeddings:
        only = make_plan(version, model=order.model, parameters=order.parameters).only
        assert only is not None, "the version's policy is plain"
        record.planned(str(only.model))
        request = EmbeddingRequest(
            model=only.model.model,
            inputs=inputs,
            parameters=only.parameters,
            idempotency_key=f"{record.opening.id}-{record.next_call()}",
        )
        embeddings, cost = await self._caller.embed(only.model, request, place=CallPlace(), note=record.called)
        record.answered(_described(embeddings), cost)
        return embeddings


def _with_prior(version: PromptVersion, inputs: Mapping[str, Any], prior: Sequence[CandidateEnd]) -> Mapping[str, Any]:
    """Return the inputs with how earlier candidates ended, where the version reads that."""
    if PRIOR not in version.variables:
        return inputs
    told = [{"text": end.text or "", "value": end.value, "valid": end.status == "valid"} for end in prior]
    return {**inputs, PRIOR: told}


def _described(embeddings: Embeddings) -> Answer:
    """Return what is kept of embeddings: all but the vectors."""
    count = len(embeddings.vectors)
    return Answer(
        text=f"{count} vector{'s' if count > 1 else ''} of {embeddings.dimensions} dimensions",
        finish_reason="stop",
        usage=embeddings.usage,
        cost_usd=embeddings.cost_usd,
        model=embeddings.model,
        request_id=embeddings.request_id,
    )


async def _recorded(trip: Awaitable[T], record: OpenRecord, timeout_s: float | None) -> T:
    """Return what the trip returns; what it ends with otherwise closes the record."""
    try:
        return await _in_time(trip, timeout_s)
    except BaseException as error:
        await record.fail(error)
        raise


async def _in_time(trip: Awaitable[T], timeout_s: float | None) -> T:
    if timeout_s is None:
        return await trip
    try:
        async with asyncio.timeout(timeout_s):
            return await trip
    except TimeoutError:
        raise ProviderTimeout(
            f"the execution took longer than {timeout_s:g} s", hint="allow more time, or use a faster model"
        ) from None
