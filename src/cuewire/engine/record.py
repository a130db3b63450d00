"""The record of one execution while it runs: opened before anything that can fail, closed whatever happens."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from cuewire.engine.price import total_cost, total_usage
from cuewire.model.cache import CacheEntry
from cuewire.model.candidates import Work
from cuewire.model.entries import Entry
from cuewire.model.errors import CuewireError, ProviderError, RecordNotWritten, StoreError
from cuewire.model.executions import MAX_ERROR_MESSAGE, CallRecord, Closing, Failure, Opening, Status
from cuewire.model.failures import failure_of
from cuewire.model.ids import uuid7
from cuewire.model.orders import Order
from cuewire.model.prompts import Inputs, PromptVersion
from cuewire.model.requests import ChatMessage, ToolCall
from cuewire.model.results import Answer, Cost, Result
from cuewire.model.text import cleaned, is_storable
from cuewire.model.usage import Usage
from cuewire.ports import Clock, Recorder

_encoder = msgspec.json.Encoder()
_NOTHING = b"{}"
_NO_INPUTS: Inputs = {}
_TOLD, _UNTOLD = "told by the program that ran it", "the program that ran it told none"
_UNKNOWN = Cost(usd=None, basis="the call failed; what the provider charges for it is not known")
_REFUSED = Cost(usd=0.0, basis="the provider refused the call")


class OpenRecord:
    """Gathers what becomes known on the trip, and closes the record with it."""

    def __init__(self, opening: Opening, *, recorder: Recorder, clock: Clock, started: float) -> None:
        self.opening = opening
        self._recorder = recorder
        self._clock = clock
        self._started = started
        self._messages: tuple[ChatMessage, ...] | None = None
        self._answer: Answer | None = None
        self._charged: Cost | None = None
        self._model = opening.model
        self._calls: list[CallRecord] = []
        self._begun = 0
        self._sanitised = 0
        self._work: Work | None = None
        self._cached: CacheEntry | None = None

    def rendered(self, messages: tuple[ChatMessage, ...]) -> None:
        """Note what will be sent."""
        self._messages = messages

    def planned(self, model: str) -> None:
        """Note which model is asked, or gave the answer."""
        self._model = model

    def next_call(self) -> int:
        """Return the number of a call that begins now."""
        self._begun += 1
        return self._begun

    def called(self, call: CallRecord) -> None:
        """Note a call that ended, well or not."""
        self._calls.append(call)

    def answered(self, answer: Answer, cost: Cost, *, sanitised: int = 0) -> None:
        """Note the answer, in which so many characters were replaced, and what its call cost."""
        self._answer, self._charged, self._sanitised = answer, cost, sanitised

    def hit(self, entry: CacheEntry) -> None:
        """Note that the answer of an earlier execution is given again."""
        self._model, self._cached = entry.model, entry
        self._answer = Answer(text=entry.text, finish_reason=entry.finish_reason, usage=Usage(), model=entry.model)

    def worked(self, work: Work) -> None:
        """Note how several candidates ended, and which was selected."""
        self._work = work

    async def succeed(self, value: Any, *, valid: bool = True) -> Result:
        """Close the record as succeeded; returns when it is durable. Raises RecordNotWritten."""
        answer = self._answer
        assert answer is not None, "an execution succeeds with an answer"
        duration_ms = self._elapsed_ms()
        encoded = None
        if value != answer.text:
            value, encoded = _encoded_value(value)
        usage, cost = await self._close("succeeded", duration_ms, value=encoded)
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
            candidates=work.candidates if work else (),
            selection=work.selection if work else None,
            cached_from=cached.source_id if cached else None,
            saved_usd=cached.cost_usd if cached else None,
        )

    async def fail(self, error: BaseException) -> None:
        """Close the record with the failure; returns when it is durable. The error learns the execution's id."""
        status, failure = failure_of(error)
        if isinstance(error, CuewireError):
            error.execution_id = self.opening.id
        partial = error.partial_text if isinstance(error, ProviderError) else ""
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
            work=_encoded(self._work) if self._work else None,
            cached_from=cached.source_id if cached else None,
            saved_usd=cached.cost_usd if cached else None,
        )
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
        return usage, cost

    @property
    def _cost(self) -> Cost:
        if len(self._calls) != 1 or (self._charged is None and self._calls[0].status == "ok"):
            return total_cost(self._calls)
        return self._charged or (_UNKNOWN if self._calls[0].cost_usd is None else _REFUSED)

    def _elapsed_ms(self) -> float:
        return (self._clock.monotonic() - self._started) * 1_000


class Records:
    """Opens records."""

    def __init__(self, recorder: Recorder, clock: Clock) -> None:
        self._recorder = recorder
        self._clock = clock

    async def open(self, order: Order, version: PromptVersion, *, parent_id: str | None = None) -> OpenRecord | str:
        """Open a record, or return the id of the execution that holds the order's idempotency key.

        One with a parent judges the candidates of that.

        Without a key the open row is on its way when this returns; with one it is durable. Raises
        IdempotencyMismatch, StoreError.
        """
        started, now = self._clock.monotonic(), self._clock.now()
        opening = self._opening(order, version, now, model=order.model or version.model or "", inputs=order.inputs)
        if parent_id is not None:
            opening = replace(opening, purpose="judge", parent_id=parent_id)
        if key := order.idempotency_key:
            opening = replace(opening, idempotency_key=key, request_hash=_request_hash(order, opening.inputs))
            holder = await self._recorder.claim(opening)
            if holder is not None:
                return holder
        else:
            self._recorder.open(opening)
        return OpenRecord(opening, recorder=self._recorder, clock=self._clock, started=started)

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
        )


def _told_failure(error: str) -> Failure:
    message = error[:MAX_ERROR_MESSAGE]
    return Failure(code="told_error", message=message, detail=error if len(error) > len(message) else "")


def _unix_ms(now: datetime) -> int:
    return int(now.timestamp() * 1_000)


def _request_hash(order: Order, inputs: bytes) -> str:
    reference = order.reference
    home = (reference.strategy, reference.language) if reference.strategy or reference.language else ()
    place = (("configuration", order.configuration),) if order.configuration else ()
    asked = (str(reference), msgspec.json.decode(inputs), order.model, order.parameters, *home, *place)
    return sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()


def storable(answer: Answer) -> tuple[Answer, int]:
    """Return the answer with U+FFFD for what cannot be stored, and how many characters were replaced."""
    if is_storable(answer.text) and not answer.tool_calls:
        return answer, 0
    text, replaced = cleaned(answer.text)
    calls = []
    for call in answer.tool_calls:
        fields = [cleaned(field) for field in (call.id, call.name, call.arguments)]
        (call_id, name, arguments) = (field for field, _ in fields)
        calls.append(ToolCall(id=call_id, name=name, arguments=arguments))
        replaced += sum(count for _, count in fields)
    return replace(answer, text=text, tool_calls=tuple(calls)), replaced


def _encoded(work: Work) -> bytes:
    try:
        return _encoder.encode(work)
    except UnicodeEncodeError:
        return _encoder.encode(_cleaned_value(msgspec.to_builtins(work)))


def _encoded_value(value: Any) -> tuple[Any, bytes]:
    """Return a value that a model wrote, as it can be stored, and its JSON."""
    try:
        return value, _encoder.encode(value)
    except UnicodeEncodeError:
        value = _cleaned_value(value)
        return value, _encoder.encode(value)


def _cleaned_value(value: Any) -> Any:
    if isinstance(value, str):
        return cleaned(value)[0]
    if isinstance(value, dict):
        return {cleaned(key)[0]: _cleaned_value(item) for key, item in value.items()}
    return [_cleaned_value(item) for item in value] if isinstance(value, list) else value
