"""The record of one execution while it runs: opened before anything that can fail, closed whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from cuewire.engine.call import CallPlace
from cuewire.engine.price import total_cost, total_usage
from cuewire.engine.spend import Reserved
from cuewire.engine.storable import encoded_value, encoded_work
from cuewire.engine.tally import Tally
from cuewire.model.cache import CacheEntry, Neighbour
from cuewire.model.candidates import Work
from cuewire.model.entries import Entry
from cuewire.model.errors import CuewireError, ProviderError, ProviderTimeout, RecordNotWritten, StoreError
from cuewire.model.executions import MAX_ERROR_MESSAGE, CallRecord, Closing, Failure, Opening, Purpose, Status
from cuewire.model.failures import failure_of
from cuewire.model.ids import uuid7
from cuewire.model.orders import Order
from cuewire.model.prompts import Inputs, PromptVersion
from cuewire.model.requests import ChatMessage, ModelRef
from cuewire.model.results import Answer, Cost, Result
from cuewire.model.text import cleaned
from cuewire.model.usage import Usage
from cuewire.ports import Clock, Recorder

T = TypeVar("T")
_encoder = msgspec.json.Encoder()
_NOTHING = b"{}"
_NO_INPUTS: Inputs = {}
_TOLD, _UNTOLD = "told by the program that ran it", "the program that ran it told none"
_UNKNOWN = Cost(usd=None, basis="the call failed; what the provider charges for it is not known")
_REFUSED = Cost(usd=0.0, basis="the provider refused the call")
_UNSENT = Cost(usd=0.0, basis="nothing was sent to the provider")


class OpenRecord:
    """Gathers what becomes known on the trip, and closes the record with it.

    `began` is when the execution did, by the clock's monotonic time.
    """

    def __init__(self, opening: Opening, *, recorder: Recorder, tally: Tally, clock: Clock, started: float) -> None:
        self.opening = opening
        self._recorder = recorder
        self._tally = tally
        self._clock = clock
        self.began = started
        self._messages: tuple[ChatMessage, ...] | None = None
        self._answer: Answer | None = None
        self._charged: Cost | None = None
        self._model = opening.model
        self._calls: list[CallRecord] = []
        self._begun = 0
        self._heard: list[str] = []
        self._sanitised = 0
        self._work: Work | None = None
        self._cached: CacheEntry | None = None
        self._fault: Failure | None = None
        self._similarity: float | None = None
        self._matched_text: str | None = None
        self._reserved: Reserved | None = None

    def rendered(self, messages: tuple[ChatMessage, ...]) -> None:
        """Note what will be sent."""
        self._messages = messages

    def planned(self, model: str) -> None:
        """Note which model is asked, or gave the answer."""
        self._model = model

    def reserve(self, reserved: Reserved | None) -> None:
        """Note what was set aside for the calls to come; the end settles it."""
        self._reserved = reserved

    def next_call(self) -> int:
        """Return the number of a call that begins now."""
        self._begun += 1
        return self._begun

    def calling(self, model: ModelRef, place: CallPlace) -> None:
        """Note a call that begins."""
        self._tally.calling(self.opening.id, model, place)

    def called(self, call: CallRecord) -> None:
        """Note a call that ended, well or not."""
        self._calls.append(call)
        self._tally.called(self.opening.id, call)

    def heard(self, text: str) -> None:
        """Note more of the text that the caller is told while it arrives."""
        self._heard.append(text)

    def answered(self, answer: Answer, cost: Cost, *, sanitised: int = 0) -> None:
        """Note the answer, in which so many characters were replaced, and what its call cost."""
        self._answer, self._charged, self._sanitised = answer, cost, sanitised

    def hit(self, entry: CacheEntry) -> None:
        """Note that the answer of an earlier execution is given again."""
        self._model, self._cached = entry.model, entry
        self._answer = Answer(text=entry.text, finish_reason=entry.finish_reason, usage=Usage(), model=entry.model)

    def hit_similar(self, neighbour: Neighbour) -> None:
        """Note that the answer to a similar question is given again."""
        self.hit(neighbour.entry)
        self._similarity, self._matched_text = neighbour.similarity, neighbour.text

    def worked(self, work: Work) -> None:
        """Note how several candidates ended, and which was selected."""
        self._work = work
        self._tally.worked(self.opening.id, work)

    def let_pass(self, fault: Failure) -> None:
        """Note that the answer is not of the form that was asked for, and counts all the same."""
        self._fault = fault

    async def succeed(self, value: Any, *, valid: bool = True) -> Result:
        """Close the record as succeeded; returns when it is durable. Raises RecordNotWritten."""
        answer = self._answer
        assert answer is not None, "an execution succeeds with an answer"
        duration_ms = self._elapsed_ms()
        encoded = None
        if value != answer.text:
            value, encoded = encoded_value(value)
        usage, cost = await self._close("succeeded", duration_ms, value=encoded, failure=self._fault)
        opening, work, cached = self.opening, self._work, self._cached
        return Result(
            id=opening.id,
            value=value,
            text=answer.text,
            prompt=opening.prompt,
            strategy=opening.strategy,
            language=opening.language,
            version=opening.version,
            model=self._model,
            finish_reason=answer.finish_reason,
            usage=usage,
            cost_usd=cost.usd,
            cost_basis=cost.basis,
            duration_ms=duration_ms,
            first_token_ms=answer.first_token_ms,
            tool_calls=answer.tool_calls,
            called_ms=sum(call.duration_ms for call in self._calls),
            valid=valid,
            warning=(self._fault.message or None) if self._fault else None,
            candidates=work.candidates if work else (),
            selection=work.selection if work else None,
            cached_from=cached.source_id if cached else None,
            saved_usd=cached.cost_usd if cached else None,
            similarity=self._similarity,
            matched_text=self._matched_text,
        )

    async def fail(self, error: BaseException) -> None:
        """Close the record with the failure, and with what had arrived of the answer; returns when it is durable.

        The error learns the execution's id, and what had arrived.
        """
        status, failure = failure_of(error)
        partial = "".join(self._heard)
        if isinstance(error, CuewireError):
            error.execution_id = self.opening.id
        if isinstance(error, ProviderError):
            partial = error.partial_text = error.partial_text or partial
        try:
            await self._close(status, self._elapsed_ms(), failure=failure, partial_text=partial)
        except StoreError as unwritten:
            unwritten.execution_id = self.opening.id
            raise unwritten from error

    async def _close(
        self,
        status: Status,
        duration_ms: float,
        *,
        value: bytes | None = None,
        failure: Failure | None = None,
        partial_text: str = "",
    ) -> tuple[Usage, Cost]:
        """Store the end, and return what all calls used and cost together."""
        answer, usage, cost, cached = self._answer, total_usage(self._calls), self._cost, self._cached
        text, sanitised = (answer.text, self._sanitised) if answer else cleaned(partial_text)
        closing = Closing(
            id=self.opening.id,
            status=status,
            ended_at=self._clock.now(),
            duration_ms=duration_ms,
            model=self._model,
            usage=usage,
            cost_usd=cost.usd,
            cost_basis=cost.basis,
            finish_reason=answer.finish_reason if answer else None,
            first_token_ms=answer.first_token_ms if answer else None,
            messages=_encoder.encode(self._messages) if self._messages is not None else None,
            text=text if answer or text else None,
            value=value,
            tool_calls=_encoder.encode(answer.tool_calls) if answer and answer.tool_calls else None,
            calls=tuple(self._calls),
            failure=failure,
            sanitised=sanitised,
            work=encoded_work(self._work) if self._work else None,
            cached_from=cached.source_id if cached else None,
            saved_usd=cached.cost_usd if cached else None,
            similarity=self._similarity,
            matched_text=self._matched_text,
        )
        self._tally.ended(self.opening, closing)
        try:
            await self._recorder.close(closing)
        except StoreError as error:
            unwritten = RecordNotWritten(
                f"the record of execution {closing.id} could not be written: {error.message}",
                hint=error.hint,
                text=text,
            )
            unwritten.execution_id = closing.id
            raise unwritten from error
        finally:
            if self._reserved is not None:
                self._reserved.settle(cost.usd)
        return usage, cost

    @property
    def _cost(self) -> Cost:
        if len(self._calls) != 1 or (self._charged is None and self._calls[0].status == "ok"):
            return total_cost(self._calls)
        return self._charged or _cost_of_failed(self._calls[0])

    def _elapsed_ms(self) -> float:
        return (self._clock.monotonic() - self.began) * 1_000


class Records:
    """Opens records."""

    def __init__(self, recorder: Recorder, clock: Clock, tally: Tally) -> None:
        self._recorder = recorder
        self._clock = clock
        self._tally = tally

    async def open(
        self, order: Order, version: PromptVersion, *, purpose: Purpose = "app", parent: Opening | None = None
    ) -> OpenRecord | str:
        """Open a record, or return the id of the execution that holds the order's idempotency key.

        One of another purpose is for the execution that is its parent, and for who asked for that.

        Without a key the open row is on its way when this returns; with one it is durable. Raises
        IdempotencyMismatch, StoreError.
        """
        started, now = self._clock.monotonic(), self._clock.now()
        opening = self._opening(order, version, now, model=_first_model(order, version), inputs=order.inputs)
        if parent is not None:
            opening = replace(opening, purpose=purpose, parent_id=parent.id, actor=parent.actor)
        if key := order.idempotency_key:
            opening = replace(opening, idempotency_key=key, request_hash=_request_hash(order, opening.inputs))
            holder = await self._recorder.claim(opening)
            if holder is not None:
                return holder
        else:
            self._recorder.open(opening)
        return OpenRecord(opening, recorder=self._recorder, tally=self._tally, clock=self._clock, started=started)

    async def log(self, entry: Entry, version: PromptVersion) -> str:
        """Store the record of an execution that ran elsewhere, and return its id when it is durable.

        Which model ran there is not known. Raises StoreError.
        """
        now = self._clock.now()
        opening = self._opening(entry, version, now - timedelta(milliseconds=entry.duration_ms))
        closing = Closing(
            id=opening.id,
            status="succeeded" if entry.succeeded else "failed",
            ended_at=now,
            duration_ms=entry.duration_ms,
            model=opening.model,
            usage=entry.usage,
            cost_usd=entry.cost_usd,
            cost_basis=_UNTOLD if entry.cost_usd is None else _TOLD,
            failure=_told_failure(entry.error) if entry.error else None,
            sanitised=entry.sanitised,
        )
        await self._recorder.add(opening, closing)
        return opening.id

    def _opening(
        self,
        asked: Order | Entry,
        version: PromptVersion,
        started_at: datetime,
        *,
        model: str = "",
        inputs: Inputs = _NO_INPUTS,
    ) -> Opening:
        reference = asked.reference
        return Opening(
            id=uuid7(unix_ms=_unix_ms(started_at), random_bits=self._clock.random_bits()),
            version_id=version.id,
            prompt=version.prompt,
            strategy=version.strategy,
            language=version.language,
            version=version.number,
            label=reference.label if reference.number is None else None,
            model=model,
            started_at=started_at,
            inputs=_encoder.encode(inputs),
            metadata=_encoder.encode(asked.metadata) if asked.metadata else _NOTHING,
            actor=asked.actor,
        )


def _cost_of_failed(call: CallRecord) -> Cost:
    if call.cost_usd is None:
        return _UNKNOWN
    return _UNSENT if call.http_status is None else _REFUSED


async def recorded(trip: Awaitable[T], record: OpenRecord, timeout_s: float | None) -> T:
    """Return what the trip returns; what it ends with otherwise closes the record."""
    try:
        return await (trip if timeout_s is None else _in_time(trip, timeout_s))
    except BaseException as error:
        await record.fail(error)
        raise


async def _in_time(trip: Awaitable[T], timeout_s: float) -> T:
    try:
        async with asyncio.timeout(timeout_s):
            return await trip
    except TimeoutError:
        raise ProviderTimeout(
            f"the execution took longer than {timeout_s:g} s", hint="allow more time, or use a faster model"
        ) from None


def _first_model(order: Order, version: PromptVersion) -> str:
    """Return the model that will be asked as far as that is clear before there is a plan."""
    return "" if order.models else order.model or version.model or ""


def _told_failure(error: str) -> Failure:
    message = error[:MAX_ERROR_MESSAGE]
    return Failure(code="told_error", message=message, detail=error if len(error) > len(message) else "")


def _unix_ms(now: datetime) -> int:
    return int(now.timestamp() * 1_000)


def _request_hash(order: Order, inputs: bytes) -> str:
    reference = order.reference
    home = (reference.strategy, reference.language) if reference.strategy or reference.language else ()
    place = (("configuration", order.configuration),) if order.configuration else ()
    several = (("models", order.models),) if order.models else ()
    asked = (str(reference), msgspec.json.decode(inputs), order.model, order.parameters, *home, *place, *several)
    return sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()
