"""Executions as JSON: the request to run, the result, the record, and a page of the record."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from cuewire.model.executions import Cause, Execution, ExecutionDetail, Purpose, Status
from cuewire.model.orders import Order, RunOptions
from cuewire.model.outcomes import Outcome, OutcomeValue
from cuewire.model.pages import Page
from cuewire.model.references import DEFAULT_LANGUAGE
from cuewire.model.results import Result
from cuewire.wire.candidates import CandidateShape, SelectionShape, WorkShape
from cuewire.wire.shapes import Instant, Request, Shape, read, shown
from cuewire.wire.usage import UsageShape

MAX_LINGER_S = 60.0


class RunRequest(Request, frozen=True):
    """`POST /api/v1/executions`. The idempotency key is the header Idempotency-Key.

    `linger_s` is how long a streamed execution goes on without anyone who listens, so that a stream whose connection
    broke can be taken up again; 0 cancels it at once. Of a `strategy` (its name or id) its own prompt runs if it has
    one, else the global one; without a version in the `language` one in a nearer or the default language does. The
    parameters and models of a `configuration` (its name or id) count. `models` are asked side by side in place of all
    others: the result has the answer of each in `candidates`.
    """

    prompt: str
    inputs: dict[str, Any] = {}
    model: str | None = None
    models: list[str] = []
    parameters: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    timeout_s: float | None = None
    strategy: str | int | None = None
    language: str | None = None
    configuration: str | int | None = None
    stream: bool = False
    linger_s: float = 0.0

    @classmethod
    def of(cls, order: Order, *, linger_s: float | None = None) -> RunRequest:
        """Return an order as JSON, but for its idempotency key; with `linger_s` the answer is to be streamed."""
        return cls(
            prompt=str(order.reference),
            inputs=dict(order.inputs),
            model=order.model,
            models=[*order.models],
            parameters=order.parameters or None,
            metadata=order.metadata or None,
            timeout_s=order.timeout_s,
            strategy=order.reference.strategy,
            language=order.reference.language,
            configuration=order.configuration,
            stream=linger_s is not None,
            linger_s=linger_s or 0.0,
        )

    def options(self, idempotency_key: str | None) -> RunOptions:
        """Return what `App.run` and `App.stream` take by keyword."""
        return {
            "model": self.model,
            "models": self.models,
            "parameters": self.parameters,
            "metadata": self.metadata,
            "idempotency_key": idempotency_key,
            "timeout_s": self.timeout_s,
            "strategy": None if self.strategy is None else str(self.strategy),
            "language": self.language,
            "configuration": None if self.configuration is None else str(self.configuration),
        }


class ToolCallShape(Shape, frozen=True):
    """A function call that the model asks for; `arguments` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


class ResultShape(Shape, frozen=True):
    """The answer to a run; `stored` says that an idempotency key brought it back and nothing was called.

    `strategy` and `language` are those of the prompt that ran: a global one is of no strategy. `valid` is false for an
    answer of the wrong form that the policy lets pass. Of several candidates, `candidates` says how each ended.
    """

    id: str
    value: Any
    text: str
    prompt: str
    version: int
    model: str
    finish_reason: str
    usage: UsageShape
    cost_usd: float | None
    cost_basis: str
    duration_ms: float
    first_token_ms: float | None
    tool_calls: tuple[ToolCallShape, ...] = ()
    stored: bool = False
    called_ms: float = 0.0
    valid: bool = True
    warning: str | None = None
    candidates: tuple[CandidateShape, ...] = ()
    selection: SelectionShape | None = None
    cached_from: str | None = None
    saved_usd: float | None = None
    similarity: float | None = None
    matched_text: str | None = None
    strategy: str | None = None
    language: str = DEFAULT_LANGUAGE

    @classmethod
    def of(cls, result: Result) -> ResultShape:
        """Return the result as JSON."""
        return msgspec.convert(result, cls, from_attributes=True)

    def result(self) -> Result:
        """Return the result that the JSON says."""
        return msgspec.convert(self, Result, from_attributes=True)


class ExecutionShape(Shape, frozen=True):
    """One execution as listed; null is unknown, or not yet known.

    `valid` is false where the policy let an answer of the wrong form pass; what is wrong with it is the error then.
    `actor` is the name of who asked; null where nobody noted it, as of executions from before that was done.
    """

    id: str
    prompt: str
    strategy: str | None
    language: str
    version: int
    label: str | None
    model: str
    status: Status
    started_at: Instant
    ended_at: Instant | None
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
    purpose: Purpose
    parent_id: str | None
    cached_from: str | None
    saved_usd: float | None
    valid: bool | None
    similarity: float | None
    actor: str | None

    def execution(self) -> Execution:
        """Return the execution that the JSON says."""
        return read(self, Execution)


class TextPartShape(Shape, frozen=True, tag="text"):
    """A text in a message."""

    text: str


class ImagePartShape(Shape, frozen=True, tag="image"):
    """An image in a message: its URL or data URI."""

    url: str


class ChatMessageShape(Shape, frozen=True, omit_defaults=True):
    """A message as it was sent to the model."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | tuple[TextPartShape | ImagePartShape, ...] | None = None
    name: str | None = None
    tool_calls: tuple[ToolCallShape, ...] = ()
    tool_call_id: str | None = None


class CallShape(Shape, frozen=True):
    """One request to a model; times in milliseconds.

    `started_ms` counts from the start of the execution; null is not known, as of calls recorded before it was noted.
    """

    number: int
    purpose: Cause
    model: str
    status: Literal["ok", "failed", "cancelled", "timed_out"]
    duration_ms: float
    usage: UsageShape
    cost_usd: float | None
    http_status: int | None = None
    error_code: str | None = None
    provider_request_id: str | None = None
    delay_ms: float = 0.0
    candidate: int = 0
    started_ms: float | None = None


class FailureShape(Shape, frozen=True):
    """Why an execution did not succeed."""

    code: str
    message: str
    hint: str = ""
    field: str = ""
    detail: str = ""
    line: int = 0
    column: int = 0


class CancelledShape(Shape, frozen=True):
    """An execution that was to be cancelled, and how it ended: otherwise if it was over by then."""

    id: str
    status: Status


class OutcomeShape(Shape, frozen=True):
    """One named fact that was reported of an execution."""

    execution_id: str
    name: str
    value: OutcomeValue
    reported_at: Instant


class ExecutionDetailShape(ExecutionShape, frozen=True):
    """One execution with everything that was stored of it.

    `withheld` says that inputs, messages and answers were left out, because who asks may not see them.
    """

    inputs: dict[str, Any]
    messages: tuple[ChatMessageShape, ...] | None
    text: str | None
    value: Any
    tool_calls: tuple[ToolCallShape, ...]
    calls: tuple[CallShape, ...]
    failure: FailureShape | None
    sanitised: int
    idempotency_key: str | None
    request_hash: str | None
    withheld: bool = False
    work: WorkShape | None = None
    matched_text: str | None = None
    outcomes: tuple[OutcomeShape, ...] = ()

    @classmethod
    def of(cls, execution: ExecutionDetail, outcomes: tuple[Outcome, ...] = ()) -> ExecutionDetailShape:
        """Return the execution, with what was reported of it, as JSON."""
        told = tuple(shown(outcome, OutcomeShape) for outcome in outcomes)
        work = execution.work
        plain = msgspec.structs.replace(execution, work=None) if work else execution
        return msgspec.structs.replace(shown(plain, cls), outcomes=told, work=work and WorkShape.of(work))

    def detail(self) -> ExecutionDetail:
        """Return the execution that the JSON says."""
        work = self.work
        plain = msgspec.structs.replace(self, work=None) if work else self
        return msgspec.structs.replace(read(plain, ExecutionDetail), work=work and work.work())


class ExecutionPage(Shape, frozen=True):
    """Executions, newest first; `next` continues the list with `?after=`."""

    items: tuple[ExecutionShape, ...]
    next: str | None

    @classmethod
    def of(cls, page: Page[Execution]) -> ExecutionPage:
        """Return the page as JSON."""
        return cls(items=tuple(shown(item, ExecutionShape) for item in page.items), next=page.next)

    def page(self) -> Page[Execution]:
        """Return the page that the JSON says."""
        return Page(items=tuple(item.execution() for item in self.items), next=self.next)


OutcomeReport: TypeAlias = dict[str, OutcomeValue]
"""`POST /api/v1/executions/{id}/outcomes`: names and values, as in {"correct": true, "stars": 4}."""


class OutcomeList(Shape, frozen=True):
    """What was reported of an execution, by name."""

    items: tuple[OutcomeShape, ...]

    @classmethod
    def of(cls, outcomes: tuple[Outcome, ...]) -> OutcomeList:
        """Return the outcomes as JSON."""
        return cls(items=tuple(shown(outcome, OutcomeShape) for outcome in outcomes))

    def outcomes(self) -> tuple[Outcome, ...]:
        """Return the outcomes that the JSON says."""
        return tuple(read(item, Outcome) for item in self.items)
