"""What comes back: a provider's answer, pieces of a stream, and the result that a caller gets."""

from __future__ import annotations

from typing import Any

from cuewire.model.candidates import CandidateEnd, Selection
from cuewire.model.references import DEFAULT_LANGUAGE
from cuewire.model.requests import ToolCall
from cuewire.model.usage import Usage
from cuewire.model.values import Value


class Cost(Value, frozen=True):
    """What a call cost. `usd` is None when unknown, and `basis` then says why; otherwise it says where it is from."""

    usd: float | None
    basis: str


class Answer(Value, frozen=True):
    """A provider's complete answer to one call.

    `cost_usd` is the cost that the provider itself reported, if it did. `model` is the name under which it answered.
    """

    text: str
    finish_reason: str
    usage: Usage
    tool_calls: tuple[ToolCall, ...] = ()
    cost_usd: float | None = None
    model: str = ""
    request_id: str = ""
    first_token_ms: float | None = None


class Piece(Value, frozen=True):
    """A run of characters of a streamed answer; `offset` counts the characters before it."""

    text: str
    offset: int


class Result(Value, frozen=True):
    """What a finished execution gives its caller.

    `value` is the answer as the version's output kind (text, choice, number, boolean, date or JSON), `text` the answer
    as it came. `cost_usd` is None when unknown, and `cost_basis` then says why. `stored` is true when an idempotency
    key brought back an earlier execution and nothing was called. `called_ms` is the part of `duration_ms` that went
    into calls; the rest is ours. `valid` is false for an answer of the wrong form that the policy lets pass: the
    value is the text then, and `warning` says what is wrong with it where the policy asks for that. Of several
    candidates, `candidates` says how each ended and `selection` which was taken and why; `usage` and `cost_usd` are
    sums over all calls, without those of judges, which are executions of their own. `cached_from` is the execution that
    got the answer where it came from the cache, which saved `saved_usd`; if that answered a similar
    question, `matched_text` is what was asked there, and `similarity` how near it is, up to 1.
    """

    id: str
    value: Any
    text: str
    prompt: str
    version: int
    model: str
    finish_reason: str
    usage: Usage
    cost_usd: float | None
    cost_basis: str
    duration_ms: float
    first_token_ms: float | None
    tool_calls: tuple[ToolCall, ...] = ()
    strategy: str | None = None
    language: str = DEFAULT_LANGUAGE
    stored: bool = False
    called_ms: float = 0.0
    valid: bool = True
    warning: str | None = None
    candidates: tuple[CandidateEnd, ...] = ()
    selection: Selection | None = None
    cached_from: str | None = None
    saved_usd: float | None = None
    similarity: float | None = None
    matched_text: str | None = None
