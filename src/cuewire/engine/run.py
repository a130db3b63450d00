"""One execution, from order to durable record. Reads as a table of contents: one line per step of the trip."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cuewire.engine.asking import Asking, AskingParts, Run
from cuewire.engine.breaker import Breakers
from cuewire.engine.budgets import RetryBudgets
from cuewire.engine.cache import ResultCache
from cuewire.engine.call import Caller, CallPlace
from cuewire.engine.candidate import Means
from cuewire.engine.gate import Gate
from cuewire.engine.judging import Judging
from cuewire.engine.nearby import Nearby
from cuewire.engine.plan import make_plan
from cuewire.engine.probes import Probes
from cuewire.engine.record import OpenRecord, Records, recorded
from cuewire.engine.reuse import Reuse
from cuewire.engine.scene import Scenes
from cuewire.engine.similar import Similar
from cuewire.engine.sizes import NO_ANSWER
from cuewire.engine.spend import Spending, unknown_worst
from cuewire.engine.stored import StoredResults
from cuewire.engine.tally import Tally
from cuewire.model.embeddings import Embeddable, Embedded, EmbeddingRequest, Embeddings
from cuewire.model.entries import Entry
from cuewire.model.executions import Opening
from cuewire.model.orders import Order
from cuewire.model.plans import Plan
from cuewire.model.prompts import PromptVersion
from cuewire.model.results import Answer, Result
from cuewire.ports import (
    Clock,
    ExecutionStore,
    Leases,
    Listener,
    MatchStore,
    PriceBook,
    Providers,
    Recorder,
    Renderer,
)
from cuewire.registry.resolver import Resolver


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """All that an execution needs from outside, joined by `wiring.py`."""

    resolver: Resolver
    scenes: Scenes
    renderer: Renderer
    providers: Providers
    cache: ResultCache
    nearby: Nearby
    matches: MatchStore
    prices: PriceBook
    recorder: Recorder
    executions: ExecutionStore
    gate: Gate
    leases: Leases
    spending: Spending
    clock: Clock


class Engine:
    """Runs executions, any number at a time."""

    def __init__(self, surroundings: Surroundings) -> None:
        clock = surroundings.clock
        self._resolver = surroundings.resolver
        self.tally = Tally()
        self._records = Records(surroundings.recorder, clock, self.tally)
        self._caller = Caller(surroundings.providers, surroundings.prices, clock)
        self.breakers = Breakers(clock=clock)
        self.gate, self._spending = surroundings.gate, surroundings.spending
        self._stored = StoredResults(surroundings.executions)
        judging = Judging(surroundings.resolver, self.judge)
        self._asking = Asking(
            AskingParts(
                scenes=surroundings.scenes,
                renderer=surroundings.renderer,
                providers=surroundings.providers,
                prices=surroundings.prices,
                means=Means(
                    caller=self._caller,
                    breakers=self.breakers,
                    probes=Probes(surroundings.leases),
                    gate=self.gate,
                    retries=RetryBudgets(),
                    clock=clock,
                    windows=surroundings.scenes.windows,
                ),
                judging=judging,
                spending=self._spending,
                clock=clock,
            )
        )
        similar = Similar(
            surroundings.nearby,
            surroundings.matches,
            caller=self._caller,
            gate=self.gate,
            judging=judging,
            clock=clock,
        )
        self._reuse = Reuse(surroundings.cache, similar, asking=self._asking, records=self._records)

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
        return await self._run(Run(order, version, record, listener))

    async def plan(self, order: Order) -> Plan:
        """Return what a run of the order may lead to; nothing is called, and nothing is recorded.

        Raises what a run would raise before its first call.
        """
        return await self._asking.plan(order, await self._resolver.resolve(order.reference))

    async def judge(self, order: Order, version: PromptVersion, *, parent: Opening) -> Result:
        """Run an order to judge the candidates of another execution."""
        record = await self._records.open(order, version, purpose="judge", parent=parent)
        assert isinstance(record, OpenRecord), "an order without an idempotency key opens a record"
        return await self._run(Run(order, version, record))

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
        embeddings = await recorded(self._embed(order, version, record, inputs), record, order.timeout_s)
        vectors = embeddings.vectors
        result = await record.succeed({"vectors": len(vectors), "dimensions": embeddings.dimensions})
        return Embedded(vectors=vectors, result=result)

    async def log(self, entry: Entry) -> str:
        """Store the record of an execution that ran elsewhere, and return its id when it is durable."""
        version = await self._resolver.resolve(entry.reference)
        return await self._records.log(entry, version)

    async def close(self) -> None:
        """End what goes on beside the runs."""
        await self._reuse.close()

    async def _run(self, run: Run) -> Result:
        if run.version.policy.cache is not None:
            return await self._reuse.run(run)
        value, is_valid = await recorded(self._asking.answer(run), run.record, run.order.timeout_s)
        return await run.record.succeed(value, valid=is_valid)

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
        record.reserve(await self._spending.reserve(record.opening, unknown_worst))
        async with self.gate.passage(only.model, inputs, NO_ANSWER, patience=lambda: order.timeout_s) as passage:
            place = CallPlace(opened=record.began, delay_ms=passage.leave())
            embeddings, cost = await self._caller.embed(only.model, request, place=place, note=record.called)
            passage.answered(embeddings)
        record.answered(_described(embeddings), cost)
        return embeddings


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
