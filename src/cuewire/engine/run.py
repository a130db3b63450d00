"""One execution, from order to durable record. Reads as a table of contents: one line per step of the trip."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from cuewire.engine.call import Caller
from cuewire.engine.check import parse_answer
from cuewire.engine.groups import run_groups
from cuewire.engine.inputs import check_inputs
from cuewire.engine.messages import render_messages
from cuewire.engine.plan import make_plan
from cuewire.engine.record import OpenRecord, Records
from cuewire.engine.stored import StoredResults
from cuewire.model.errors import ProviderTimeout
from cuewire.model.orders import Order
from cuewire.model.plans import Candidate
from cuewire.model.prompts import PromptVersion
from cuewire.model.results import Answer, Result
from cuewire.ports import Clock, ExecutionStore, Listener, PriceBook, Providers, Recorder, Renderer
from cuewire.registry.resolver import Resolver


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
        record = await self._records.open(order, version)
        if on_open:
            on_open(record if isinstance(record, str) else record.opening.id)
        if isinstance(record, str):
            return await self._stored.replay(record, listener=listener)
        try:
            value = await self._answer_in_time(order, version, record, listener)
        except BaseException as error:
            await record.fail(error)
            raise
        return await record.succeed(value)

    async def _answer_in_time(
        self, order: Order, version: PromptVersion, record: OpenRecord, listener: Listener | None
    ) -> Any:
        if order.timeout_s is None:
            return await self._answer(order, version, record, listener)
        try:
            async with asyncio.timeout(order.timeout_s):
                return await self._answer(order, version, record, listener)
        except TimeoutError:
            raise ProviderTimeout(
                f"the execution took longer than {order.timeout_s:g} s", hint="allow more time, or use a faster model"
            ) from None

    async def _answer(self, order: Order, version: PromptVersion, record: OpenRecord, listener: Listener | None) -> Any:
        inputs = check_inputs(version, order.inputs)
        messages = await render_messages(version, inputs, self._renderer)
        record.rendered(messages)
        plan = make_plan(version, model=order.model, parameters=order.parameters)

        async def call(candidate: Candidate) -> Answer:
            record.planned(str(candidate.model))
            return await self._caller.call(candidate, messages, output=version.output, record=record, listener=listener)

        answer = await run_groups(plan, call)
        return parse_answer(answer, version.output)
