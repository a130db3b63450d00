"""Rows of the record, made from values where the caller runs, so that the writer only has to store them.

A row is one tuple in the order of its table's columns: first what is known at the opening, then what the end adds.
"""

from __future__ import annotations

from math import isfinite
from typing import TypeAlias

import msgspec

from cuewire.model.executions import MAX_ERROR_MESSAGE, CallRecord, Closing, Failure, Opening
from cuewire.model.text import cleaned
from cuewire.stores.columns import Encoding
from cuewire.stores.schema import PROJECT
from cuewire.stores.texts import model_json, model_text, user_json, user_text

Row: TypeAlias = tuple[object, ...]

_encode = msgspec.json.Encoder().encode
_NOT_ENDED: Row = (None,) * 11
_NOT_CACHED: Row = (None, None, None)
_NO_ANSWER: Row = (None, None, None, None, None, 0, None, None)


class OpenRow:
    """The first half of an execution's rows, kept until its end is stored."""

    __slots__ = ("actor", "due", "encoding", "execution", "id", "is_stored", "key", "model", "origin", "payload")

    def __init__(self, opening: Opening, *, owner_id: int, encoding: Encoding) -> None:
        """Make the rows. Raises InvalidInput if the caller gave text that no database can store."""
        self.id = opening.id
        self.key = encoding.id(opening.id)
        self.encoding = encoding
        self.model = user_text(opening.model, pointer="/model")
        self.due = 0.0
        self.is_stored = False
        self.execution: Row = (
            PROJECT,
            self.key,
            opening.version_id,
            opening.prompt,
            opening.label,
            encoding.instant(opening.started_at),
            user_json(opening.metadata, pointer="/metadata"),
            user_text(opening.idempotency_key, pointer="/idempotency_key"),
            opening.request_hash,
            owner_id,
        )
        self.payload: Row = (PROJECT, self.key, user_json(opening.inputs, pointer="/inputs"))
        self.actor = user_text(opening.actor, pointer="/actor")
        self.origin: Row = (opening.purpose, opening.parent_id and encoding.id(opening.parent_id))

    @property
    def idempotency_key(self) -> object:
        """The key that the caller gave."""
        return self.execution[7]

    @property
    def request_hash(self) -> object:
        """The hash of the request that the key stands for."""
        return self.execution[8]

    @property
    def owner_id(self) -> object:
        """The opening of the database that runs it."""
        return self.execution[9]

    @property
    def running(self) -> tuple[Row, Row]:
        """The execution and payload rows of an execution that has not ended."""
        execution = *self.execution, "running", self.model, *_NOT_ENDED, *self.origin, *_NOT_CACHED, self.actor
        return execution, (*self.payload, *_NO_ANSWER)

    def forget_key(self) -> None:
        """Drop the idempotency key, which is stored: stating it again would collide with itself."""
        self.execution = (*self.execution[:7], None, None, self.execution[9])


class ClosedRows:
    """All rows of an execution that has ended."""

    __slots__ = ("calls", "execution", "payload")

    def __init__(self, opened: OpenRow, closing: Closing) -> None:
        """Make the rows; whatever the model wrote, they can be stored."""
        usage, failure = closing.usage, closing.failure
        messages, in_messages = model_json(closing.messages)
        text, in_text = model_text(closing.text)
        value, in_value = model_json(closing.value)
        tool_calls, in_tool_calls = model_json(closing.tool_calls)
        work, in_work = model_json(closing.work)
        replaced = closing.sanitised + in_messages + in_text + in_value + in_tool_calls + in_work
        self.execution: Row = (
            *opened.execution,
            closing.status,
            opened.model if closing.model == opened.model else cleaned(closing.model)[0],
            opened.encoding.instant(closing.ended_at),
            _figure(closing.duration_ms),
            _figure(closing.first_token_ms),
            _count(usage.input_tokens),
            _count(usage.output_tokens),
            _count(usage.total_tokens),
            _figure(closing.cost_usd),
            closing.cost_basis,
            closing.finish_reason and cleaned(closing.finish_reason)[0],
            failure and cleaned(failure.code)[0],
            failure and cleaned(failure.message)[0][:MAX_ERROR_MESSAGE],
            *opened.origin,
            closing.cached_from and opened.encoding.id(closing.cached_from),
            _figure(closing.saved_usd),
            _figure(closing.similarity),
            opened.actor,
        )
        kept = failure and model_json(_encoded_failure(failure))[0]
        answer = messages, text, value, tool_calls, kept, replaced, work, closing.matched_text
        self.payload: Row = (*opened.payload, *answer)
        self.calls: list[Row] = [_call_row(opened.key, call) for call in closing.calls]

    @property
    def end(self) -> Row:
        """What tells this end from any other: the owner, the status and the time."""
        return self.execution[9], self.execution[10], self.execution[12]


def _call_row(key: object, call: CallRecord) -> Row:
    usage = call.usage
    return (
        PROJECT,
        key,
        call.number,
        call.purpose,
        cleaned(call.model)[0],
        call.status,
        _figure(call.duration_ms) or 0.0,
        _count(usage.input_tokens),
        _count(usage.output_tokens),
        _count(usage.cached_tokens),
        _count(usage.reasoning_tokens),
        _figure(call.cost_usd),
        _count(call.http_status),
        call.error_code,
        call.provider_request_id and cleaned(call.provider_request_id)[0],
        _figure(call.delay_ms) or 0.0,
        call.candidate,
        _count(usage.cache_write_tokens),
        _count(usage.cache_write_1h_tokens),
        _figure(call.started_ms),
    )


def _count(number: int | None) -> int | None:
    """Return the number if 64 bits hold it; a provider that reports another one has reported nothing."""
    return number if number is not None and 0 <= number < 2**63 else None


def _figure(number: float | None) -> float | None:
    return number if number is not None and isfinite(number) else None


def _encoded_failure(failure: Failure) -> bytes:
    try:
        return _encode(failure)
    except UnicodeEncodeError:
        texts = {name: cleaned(getattr(failure, name))[0] for name in ("code", "message", "hint", "field", "detail")}
        return _encode(msgspec.structs.replace(failure, **texts))
