"""The record of an execution: what opens it, what closes it, and what is read back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self, TypeAlias

from msgspec.structs import replace

from cuewire.model.actors import LOCAL
from cuewire.model.candidates import Work
from cuewire.model.references import DEFAULT_LANGUAGE
from cuewire.model.requests import ChatMessage, ToolCall
from cuewire.model.results import Result
from cuewire.model.usage import Usage
from cuewire.model.values import Value

Status: TypeAlias = Literal["pending", "running", "succeeded", "failed", "cancelled", "timed_out", "interrupted"]
FINAL: frozenset[Status] = frozenset({"succeeded", "failed", "cancelled", "timed_out", "interrupted"})
Purpose: TypeAlias = Literal["app", "judge", "renewal"]
"""What an execution is for: whoever called for it, to judge for another one, or to renew the answer that it gave."""
Cause: TypeAlias = Literal["first", "retry", "failover", "repair", "embedding"]
"""Why a call is made; the last is no candidate's, but looks for a similar question that was answered before."""
MAX_ERROR_MESSAGE = 1_000
"""Characters of an error message that the narrow row keeps, counted from its beginning."""


class Opening(Value, frozen=True):
    """What is known when an execution begins. `inputs` and `metadata` are JSON bytes, encoded once.

    `actor` is the name of who asked; what is run on behalf of an execution has the same.
    """

    id: str
    version_id: int
    prompt: str
    version: int
    label: str | None
    model: str
    started_at: datetime
    inputs: bytes
    metadata: bytes
    idempotency_key: str | None = None
    request_hash: str | None = None
    strategy: str | None = None
    language: str = DEFAULT_LANGUAGE
    purpose: Purpose = "app"
    parent_id: str | None = None
    actor: str = LOCAL.name


class CallRecord(Value, frozen=True):
    """One request to a model, as recorded. Times in ms; `delay_ms` is the wait before it.

    `candidate` is the index in the plan of the candidate that it was made for. `started_ms` counts from the start of
    the execution; None is not known, as of calls that were recorded before it was noted.
    """

    number: int
    purpose: Cause
    model: str
    status: Literal["ok", "failed", "cancelled", "timed_out"]
    duration_ms: float
    usage: Usage
    cost_usd: float | None
    http_status: int | None = None
    error_code: str | None = None
    provider_request_id: str | None = None
    delay_ms: float = 0.0
    candidate: int = 0
    started_ms: float | None = None


class Failure(Value, frozen=True):
    """Why an execution did not succeed; `detail` is the full redacted text, `hint` what to do.

    `line` and `column` are a place in a template, counted from 1; 0 is none.
    """

    code: str
    message: str
    hint: str = ""
    field: str = ""
    detail: str = ""
    line: int = 0
    column: int = 0


class Closing(Value, frozen=True):
    """What is known when an execution ends.

    `messages`, `value`, `tool_calls` and `work` are JSON bytes; `sanitised` counts the characters that were replaced.
    `matched_text` is the earlier question whose answer this is, `similarity` how near it is.
    """

    id: str
    status: Status
    ended_at: datetime
    duration_ms: float
    model: str
    usage: Usage
    cost_usd: float | None
    cost_basis: str
    finish_reason: str | None = None
    first_token_ms: float | None = None
    messages: bytes | None = None
    text: str | None = None
    value: bytes | None = None
    tool_calls: bytes | None = None
    calls: tuple[CallRecord, ...] = ()
    failure: Failure | None = None
    sanitised: int = 0
    work: bytes | None = None
    cached_from: str | None = None
    saved_usd: float | None = None
    similarity: float | None = None
    matched_text: str | None = None


class Execution(Value, frozen=True, kw_only=True):
    """One execution as listed. Token counts, cost and times are None where unknown or not yet known.

    `parent_id` is the execution for which this one judged, or whose answer it renewed. `cached_from` is the one whose
    answer this one gave again, which saved `saved_usd`; `similarity` is the cosine of its question to this one, None
    where both are equal. `actor` is the name of who asked, None where nobody noted it.
    """

    id: str
    prompt: str
    version: int
    label: str | None
    model: str
    status: Status
    started_at: datetime
    ended_at: datetime | None
    duration_ms: float | None
    first_token_ms: float | None
    input_tokens: int | None
    output_tokens: int | None
    total_tokens: int | None
    cost_usd: float | None
    cost_basis: str | None
    finish_reason: str | None
    error_code: str | None
    error_message: str | None
    metadata: dict[str, Any]
    strategy: str | None = None
    language: str = DEFAULT_LANGUAGE
    purpose: Purpose = "app"
    parent_id: str | None = None
    cached_from: str | None = None
    saved_usd: float | None = None
    similarity: float | None = None
    actor: str | None = None

    valid: bool | None = None
    """False where the policy let an answer of the wrong form pass, None where there is no answer."""

    @property
    def success(self) -> bool:
        """Whether it succeeded."""
        return self.status == "succeeded"

    def without_bodies(self) -> Self:
        """Return it without what was put in and what came out, which the message of an error may quote."""
        return replace(self, error_message=None)


class ExecutionDetail(Execution, frozen=True, kw_only=True):
    """One execution with everything that was stored of it; `matched_text` is the similar question, answered before."""

    inputs: dict[str, Any]
    messages: tuple[ChatMessage, ...] | None
    text: str | None
    value: Any
    tool_calls: tuple[ToolCall, ...]
    calls: tuple[CallRecord, ...]
    failure: Failure | None
    sanitised: int
    idempotency_key: str | None
    request_hash: str | None
    withheld: bool = False
    work: Work | None = None
    matched_text: str | None = None

    def without_bodies(self) -> Self:
        """Return it so, with `withheld` set; of its failure there is the code."""
        failure = self.failure and Failure(code=self.failure.code, message="")
        return replace(
            super().without_bodies(),
            inputs={},
            messages=None,
            text=None,
            value=None,
            tool_calls=(),
            failure=failure,
            work=None,
            matched_text=None,
            withheld=True,
        )

    def result(self) -> Result:
        """Return what its caller got, if it succeeded."""
        return Result(
            id=self.id,
            value=self.value,
            text=self.text or "",
            prompt=self.prompt,
            strategy=self.strategy,
            language=self.language,
            version=self.version,
            model=self.model,
            finish_reason=self.finish_reason or "",
            usage=Usage(input_tokens=self.input_tokens, output_tokens=self.output_tokens),
            cost_usd=self.cost_usd,
            cost_basis=self.cost_basis or "",
            duration_ms=self.duration_ms or 0.0,
            first_token_ms=self.first_token_ms,
            tool_calls=self.tool_calls,
            called_ms=sum(call.duration_ms for call in self.calls),
            candidates=self.work.candidates if self.work else (),
            selection=self.work.selection if self.work else None,
            valid=self.valid is not False,
            warning=(self.failure.message or None) if self.failure else None,
            cached_from=self.cached_from,
            saved_usd=self.saved_usd,
            similarity=self.similarity,
            matched_text=self.matched_text,
        )
