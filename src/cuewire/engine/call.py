"""One call to a model: asked, timed, priced, and noted however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias, TypeVar

from cuewire.engine.price import price_answer
from cuewire.model.embeddings import EmbeddingRequest, Embeddings
from cuewire.model.errors import ProviderError, ProviderTimeout
from cuewire.model.executions import CallRecord, Cause
from cuewire.model.requests import ModelRef, ModelRequest
from cuewire.model.results import Answer, Cost
from cuewire.model.usage import Usage
from cuewire.model.values import Value
from cuewire.ports import Clock, Listener, PriceBook, Providers

A = TypeVar("A", Answer, Embeddings)
Note: TypeAlias = Callable[[CallRecord], None]
"""Is told of a call that ended, well or not."""


class CallPlace(Value, frozen=True):
    """Which call of an execution this is, why it is made after which wait, and how long it may take (None: as ever).

    `opened` is when the execution began, by the clock's monotonic time.
    """

    opened: float
    number: int = 1
    candidate: int = 0
    cause: Cause = "first"
    delay_ms: float = 0.0
    timeout_s: float | None = None


class Caller:
    """Makes calls through the configured providers."""

    def __init__(self, providers: Providers, prices: PriceBook, clock: Clock) -> None:
        self._providers = providers
        self._prices = prices
        self._clock = clock

    def call(
        self, model: ModelRef, request: ModelRequest, *, place: CallPlace, note: Note, listener: Listener | None
    ) -> Awaitable[tuple[Answer, Cost]]:
        """Ask a model. Costs money. Raises ProviderError, ModelNotFound."""
        provider = self._providers.get(model.provider)
        return self._noted(provider.call(request, listener=listener), model, place, note)

    def embed(
        self, model: ModelRef, request: EmbeddingRequest, *, place: CallPlace, note: Note
    ) -> Awaitable[tuple[Embeddings, Cost]]:
        """Ask a model for vectors; otherwise as `call`."""
        embedder = self._providers.embedder(model.provider)
        return self._noted(embedder.embed(request), model, place, note)

    async def _noted(self, call: Awaitable[A], model: ModelRef, place: CallPlace, note: Note) -> tuple[A, Cost]:
        started = self._clock.monotonic()
        try:
            answer = await (call if place.timeout_s is None else _in_time(call, place.timeout_s))
        except (ProviderError, asyncio.CancelledError) as error:
            note(self._failed(model, place, started, error))
            raise
        duration_ms = (self._clock.monotonic() - started) * 1_000
        cost = price_answer(model, answer, self._prices.rates(model, self._clock.now()))
        note(
            CallRecord(
                number=place.number,
                purpose=place.cause,
                model=str(model),
                status="ok",
                duration_ms=duration_ms,
                usage=answer.usage,
                cost_usd=cost.usd,
                provider_request_id=answer.request_id or None,
                delay_ms=place.delay_ms,
                candidate=place.candidate,
                started_ms=(started - place.opened) * 1_000,
            )
        )
        return answer, cost

    def _failed(
        self, model: ModelRef, place: CallPlace, started: float, error: ProviderError | asyncio.CancelledError
    ) -> CallRecord:
        status: Literal["failed", "cancelled", "timed_out"] = "failed"
        http_status, code, is_free = 0, "cancelled", False
        if isinstance(error, asyncio.CancelledError):
            status = "cancelled"
        else:
            http_status, code = error.status, error.code
            is_free = not error.was_sent or 400 <= http_status < 500
            if isinstance(error, ProviderTimeout):
                status = "timed_out"
        return CallRecord(
            number=place.number,
            purpose=place.cause,
            model=str(model),
            status=status,
            duration_ms=(self._clock.monotonic() - started) * 1_000,
            usage=Usage(),
            cost_usd=0.0 if is_free else None,  # what is refused or was not sent; of anything else nobody knows
            http_status=http_status or None,
            error_code=code,
            delay_ms=place.delay_ms,
            candidate=place.candidate,
            started_ms=(started - place.opened) * 1_000,
        )


async def _in_time(call: Awaitable[A], timeout_s: float) -> A:
    try:
        async with asyncio.timeout(timeout_s):
            return await call
    except TimeoutError:
        raise ProviderTimeout(
            f"the call did not end within the {timeout_s:.3g} s that were left for it",
            hint="allow more time in candidate_timeout_s, or use a faster model",
            phase="candidate",
        ) from None
