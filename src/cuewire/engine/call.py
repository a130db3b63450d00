"""One call to a model: asked, timed, priced, and noted in the record however it ends."""

from __future__ import annotations

import asyncio
from typing import Literal

from cuewire.engine.price import price_answer
from cuewire.engine.record import OpenRecord
from cuewire.model.errors import ProviderError, ProviderTimeout
from cuewire.model.executions import CallRecord
from cuewire.model.outputs import OutputKind
from cuewire.model.plans import Candidate
from cuewire.model.requests import ChatMessage, ModelRequest
from cuewire.model.results import Answer, Usage
from cuewire.ports import Clock, Listener, PriceBook, Providers


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
        started = self._clock.monotonic()
        try:
            answer = await provider.call(request, listener=listener)
        except (ProviderError, asyncio.CancelledError) as error:
            record.called(self._failed(candidate, started, error))
            raise
        duration_ms = (self._clock.monotonic() - started) * 1_000
        cost = price_answer(candidate.model, answer, self._prices.rates(candidate.model, self._clock.now()))
        record.called(
            CallRecord(
                number=1,
                purpose="first",
                model=str(candidate.model),
                status="ok",
                duration_ms=duration_ms,
                usage=answer.usage,
                cost_usd=cost.usd,
                provider_request_id=answer.request_id or None,
            )
        )
        return record.answered(answer, cost)

    def _failed(self, candidate: Candidate, started: float, error: BaseException) -> CallRecord:
        status: Literal["failed", "cancelled", "timed_out"] = "failed"
        if isinstance(error, asyncio.CancelledError):
            status = "cancelled"
        elif isinstance(error, ProviderTimeout):
            status = "timed_out"
        return CallRecord(
            number=1,
            purpose="first",
            model=str(candidate.model),
            status=status,
            duration_ms=(self._clock.monotonic() - started) * 1_000,
            usage=Usage(),
            cost_usd=None,
            http_status=getattr(error, "status", 0) or None,
            error_code=getattr(error, "code", None) or "cancelled",
        )
