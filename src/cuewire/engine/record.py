"""The record of one execution while it runs: opened before anything that can fail, closed whatever happens."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from cuewire.model.entries import Entry
from cuewire.model.errors import CuewireError, ProviderError, RecordNotWritten, StoreError
from cuewire.model.executions import MAX_ERROR_MESSAGE, CallRecord, Closing, Failure, Opening, Status
from cuewire.model.failures import failure_of
from cuewire.model.ids import uuid7
from cuewire.model.orders import Order
from cuewire.model.prompts import Inputs, PromptVersion
from cuewire.model.requests import ChatMessage, ToolCall
from cuewire.model.results import Answer, Cost, Result, Usage
from cuewire.model.text import cleaned, is_storable
from cuewire.ports import Clock, Recorder

_encoder = msgspec.json.Encoder()
_NOTHING = b"{}"
_NO_INPUTS: Inputs = {}
_NO_CALL = Cost(usd=0.0, basis="no model was called")
_TOLD, _UNTOLD = "told by the program that ran it", "the program that ran it told none"
_UNKNOWN = Cost(usd=None, basis="the call failed; what the provider charges for it is not known")


class OpenRecord:
    """Gathers what becomes known on the trip, and closes the record with it."""

    def __init__(self, opening: Opening, *, recorder: Recorder, clock: Clock, started: float) -> None:
        self.opening = opening
        self._recorder = recorder
        self._clock = clock
        self._started = started
        self._messages: tuple[ChatMessage, ...] | None = None
        self._answer: Answer | None = None
        self._cost = _NO_CALL
        self._model = opening.model
        self._calls: list[CallRecord] = []
        self._sanitised = 0

    def rendered(self, messages: tuple[ChatMessage, ...]) -> None:
        """Note what will be sent."""
        self._messages = messages

    def planned(self, model: str) -> None:
        """Note which model will be asked."""
        self._model = model

    def called(self, call: CallRecord) -> None:
        """Note a call that ended, well or not."""
        self._calls.append(call)
        if call.status != "ok":
            self._cost = _UNKNOWN

    def answered(self, answer: Answer, cost: Cost) -> Answer:
        """Note the answer and its cost; returns the answer as it is kept, so that the caller gets the same."""
        self._answer, self._sanitised = _storable(answer)
        self._cost = cost
        return self._answer

    async def succeed(self, value: Any) -> Result:
        """Close the record as succeeded; returns when it is durable. Raises RecordNotWritten."""
        answer = self._answer
        assert answer is not None, "an execution succeeds with an answer"
        duration_ms = self._elapsed_ms()
        encoded = None
        if value != answer.text:
            value, encoded = _encoded_value(value)
        await self._close("succeeded", duration_ms, value=encoded)
        opening = self.opening
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
            usage=answer.usage,
            cost_usd=self._cost.usd,
            cost_basis=self._cost.basis,
            duration_ms=duration_ms,
            first_token_ms=answer.first_token_ms,
            tool_calls=answer.tool_calls,
            called_ms=sum(call.duration_ms for call in self._calls),
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
    ) -> None:
        answer = self._answer
        text, sanitised = (answer.text, self._sanitised) if answer else cleaned(partial_text)
        closing = Closing(
            id=self.opening.id,
            status=status,
            ended_at=self._clock.now(),
            duration_ms=duration_ms,
            model=self._model,
            usage=answer.usage if answer else Usage(),
            cost_usd=self._cost.usd,
            cost_basis=self._cost.basis,
            finish_reason=answer.finish_reason if answer else None,
            first_token_ms=answer.first_token_ms if answer else None,
            messages=_encoder.encode(self._messages) if self._messages is not None else None,
            text=text if answer or text else None,
            value=value,
            tool_calls=_encoder.encode(answer.tool_calls) if answer and answer.tool_calls else None,
            calls=tuple(self._calls),
            failure=failure,
            sanitised=sanitised,
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

    def _elapsed_ms(self) -> float:
        return (self._clock.monotonic() - self._started) * 1_000


class Records:
    """Opens records."""

    def __init__(self, recorder: Recorder, clock: Clock) -> None:
        self._recorder = recorder
        self._clock = clock

    async def open(self, order: Order, version: PromptVersion) -> OpenRecord | str:
        """Open a record, or return the id of the execution that holds the order's idempotency key.

        Without a key the open row is on its way when this returns; with one it is durable. Raises
        IdempotencyMismatch, StoreError.
        """
        started, now = self._clock.monotonic(), self._clock.now()
        opening = self._opening(order, version, now, model=order.model or version.model or "", inputs=order.inputs)
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
    asked = (str(reference), msgspec.json.decode(inputs), order.model, order.parameters, *home)
    return sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()


def _storable(answer: Answer) -> tuple[Answer, int]:
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
