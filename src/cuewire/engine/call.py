"""One call to a model: asked, timed, priced, and noted in the record however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Literal, TypeVar

from cuewire.engine.price import price_answer
from cuewire.engine.record import OpenRecord
from cuewire.model.embeddings import Embeddable, EmbeddingRequest, Embeddings
from cuewire.model.errors import ProviderError, ProviderTimeout
from cuewire.model.executions import CallRecord
from cuewire.model.outputs import OutputKind
from cuewire.model.plans import Candidate
from cuewire.model.requests import ChatMessage, ModelRef, ModelRequest
from cuewire.model.results import Answer, Cost, Usage
from cuewire.ports import Clock, Listener, PriceBook, Providers

A = TypeVar("A", Answer, Embeddings)


class Caller:
    """Makes calls through the configured providers."""

    def __init__(self, providers: Providers, prices: PriceBook, clock: Clock) -> None:
        self._providers = providers
        self._prices = prices
        self._clock = clock

    async def call(
        self,
        candidate: Candidate,
        messages: tuple[ChatMessage, ...],
        *,
        output: OutputKind,
        record: OpenRecord,
        listener: Listener | None,
    ) -> Answer:
        """Ask the candidate's model; the call is noted in the record whether it succeeds or not.

        Costs money. Raises ProviderError, ModelNotFound.
        """
        provider = self._providers.get(candidate.model.provider)
        request = ModelRequest(
            model=candidate.model.model,
            messages=messages,
            parameters=candidate.parameters,
            output=output,
            idempotency_key=f"{record.opening.id}-1",
        )
        answer, cost = await self._noted(provider.call(request, listener=listener), candidate.model, record)
        return record.answered(answer, cost)

    async def embed(self, candidate: Candidate, inputs: tuple[Embeddable, ...], *, record: OpenRecord) -> Embeddings:
        """Ask the candidate's model for vectors; otherwise as `call`."""
        embedder = self._providers.embedder(candidate.model.provider)
        request = EmbeddingRequest(
            model=candidate.model.model,
            inputs=inputs,
            parameters=candidate.parameters,
            idempotency_key=f"{record.opening.id}-1",
        )
        embeddings, cost = await self._noted(embedder.embed(request), candidate.model, record)
        record.answered(_described(embeddings), cost)
        return embeddings

    async def _noted(self, call: Awaitable[A], model: ModelRef, record: OpenRecord) -> tuple[A, Cost]:
        started = self._clock.monotonic()
        try:
            answer = await call
        except (ProviderError, asyncio.CancelledError) as error:
            record.called(self._failed(model, started, error))
            raise
        duration_ms = (self._clock.monotonic() - started) * 1_000
        cost = price_answer(model, answer, self._prices.rates(model, self._clock.now()))
        record.called(
            CallRecord(
                number=1,
                purpose="first",
                model=str(model),
                status="ok",
                duration_ms=duration_ms,
                usage=answer.usage,
                cost_usd=cost.usd,
                provider_request_id=answer.request_id or None,
            )
        )
        return answer, cost

    def _failed(self, model: ModelRef, started: float, error: BaseException) -> CallRecord:
        status: Literal["failed", "cancelled", "timed_out"] = "failed"
        if isinstance(error, asyncio.CancelledError):
            status = "cancelled"
        elif isinstance(error, ProviderTimeout):
            status = "timed_out"
        return CallRecord(
            number=1,
            purpose="first",
            model=str(model),
            status=status,
            duration_ms=(self._clock.monotonic() - started) * 1_000,
            usage=Usage(),
            cost_usd=None,
            http_status=getattr(error, "status", 0) or None,
            error_code=getattr(error, "code", None) or "cancelled",
        )


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
