"""One execution, from order to durable record. Reads as a table of contents: one line per step of the trip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from cuewire.engine.call import Caller
from cuewire.engine.check import parse_answer
from cuewire.engine.groups import run_groups
from cuewire.engine.messages import render_messages
from cuewire.engine.plan import make_plan
from cuewire.engine.record import OpenRecord, Records
from cuewire.engine.stored import StoredResults
from cuewire.model.embeddings import Embeddable, Embedded, Embeddings
from cuewire.model.entries import Entry
from cuewire.model.errors import ProviderTimeout
from cuewire.model.orders import Order
from cuewire.model.plans import Candidate
from cuewire.model.prompts import PromptVersion
from cuewire.model.results import Answer, Result
from cuewire.ports import Clock, ExecutionStore, Listener, PriceBook, Providers, Recorder, Renderer
from cuewire.registry.inputs import check_inputs
from cuewire.registry.resolver import Resolver

T = TypeVar("T")


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """All that an execution needs from outside, joined by `wiring.py`."""

    resolver: Resolver
    renderer: Renderer
    providers: Providers
    prices: PriceBook
    recorder: Recorder
    executions: ExecutionStore
    clock: Clock


class Engine:
    """Runs executions, any number at a time."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._resolver = surroundings.resolver
        self._renderer = surroundings.renderer
        self._records = Records(surroundings.recorder, surroundings.clock)
        self._caller = Caller(surroundings.providers, surroundings.prices, surroundings.clock)
        self._stored = StoredResults(surroundings.executions)

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
        value = await _recorded(self._answer(order, version, record, listener), record, order.timeout_s)
        return await record.succeed(value)

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

    async def _answer(self, order: Order, version: PromptVersion, record: OpenRecord, listener: Listener | None) -> Any:
        inputs = check_inputs(version, order.inputs)
        messages = await render_messages(version, inputs, self._renderer, at=record.opening.started_at)
        record.rendered(messages)
        plan = make_plan(version, model=order.model, parameters=order.parameters)

        async def call(candidate: Candidate) -> Answer:
            record.planned(str(candidate.model))
            return await self._caller.call(candidate, messages, output=version.output, record=record, listener=listener)

        answer = await run_groups(plan, call)
        return parse_answer(answer, version.output)

    async def _embed(
        self, order: Order, version: PromptVersion, record: OpenRecord, inputs: tuple[Embeddable, ...]
    ) -> Embeddings:
        plan = make_plan(version, model=order.model, parameters=order.parameters)

        async def call(candidate: Candidate) -> Embeddings:
            record.planned(str(candidate.model))
            return await self._caller.embed(candidate, inputs, record=record)

        return await run_groups(plan, call)


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
