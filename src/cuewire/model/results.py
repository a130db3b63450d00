"""What comes back: a provider's answer, pieces of a stream, and the result that a caller gets."""

from __future__ import annotations

from typing import Any

from cuewire.model.references import DEFAULT_LANGUAGE
from cuewire.model.requests import ToolCall
from cuewire.model.values import Value


class Usage(Value, frozen=True):
    """Token counts as the provider reported them, never negative; None where it reported nothing.

    `cached_tokens` is the part of the input that was read from the provider's cache, `reasoning_tokens` the part of
    the output that was not shown.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None

    @property
    def total_tokens(self) -> int | None:
        """Input plus output; a missing side counts 0, both missing gives None."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)


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

    `value` is the answer as the version's output kind (text, choice, number, boolean or JSON), `text` the answer as
    it came. `cost_usd` is None when unknown, and `cost_basis` then says why. `stored` is true when an idempotency key
    brought back an earlier execution and nothing was called. `called_ms` is the part of `duration_ms` that went
    into calls; the rest is ours.
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
