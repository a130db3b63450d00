"""From wire answers and events to an Answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from cuewire.model.errors import ProtocolError
from cuewire.model.requests import ToolCall
from cuewire.model.results import Answer
from cuewire.providers.growing import GrowingText
from cuewire.providers.openai_wire import (
    WireAnswer,
    WireMessage,
    WireToolCall,
    arguments_of,
    decode_answer,
    read_usage,
    text_of,
)
from cuewire.providers.upstream import ErrorInside

EXPLAINS_SILENCE = frozenset({"content_filter", "length", "max_tokens", "safety"})
"""Finish reasons that may come without any content."""
UNKNOWN = "unknown"
"""The finish reason of an answer that is complete but does not say why it ended."""


def read_whole(body: bytes, *, request_id: str) -> Answer:
    """Read a plain answer, as ReadWhole does."""
    wire = decode_answer(body)
    if reported := wire.error or (wire.choices and wire.choices[0].error):
        raise ErrorInside(reported)
    return whole_answer(wire, request_id=request_id)


def whole_answer(wire: WireAnswer, *, request_id: str) -> Answer:
    """Return the answer of a plain call. Raises ProtocolError if there is none in it."""
    if not wire.choices or wire.choices[0].message is None:
        raise ProtocolError("the answer holds no choice with a message")
    choice, message = wire.choices[0], wire.choices[0].message
    calls = _tool_calls(message.tool_calls or ())
    text, reason = _checked(text_of(message), message.refusal, choice.finish_reason or UNKNOWN, calls)
    usage, cost_usd = read_usage(wire.usage)
    return Answer(
        text=text,
        finish_reason=reason,
        usage=usage,
        tool_calls=calls,
        cost_usd=cost_usd,
        model=wire.model or "",
        request_id=request_id or wire.id or "",
    )


class GrowingAnswer(GrowingText):
    """The answer of a streamed call, put together event by event."""

    __slots__ = (
        "_calls",
        "_finish_reason",
        "_id",
        "_model",
        "_refusal",
        "_usage",
    )

    def __init__(self) -> None:
        super().__init__()
        self._refusal: list[str] = []
        self._calls: dict[int, list[WireToolCall]] = {}
        self._finish_reason: str | None = None
        self._usage: object = None
        self._id = ""
        self._model = ""

    @property
    def is_empty(self) -> bool:
        """Whether no event has arrived that says anything of an answer."""
        return not (self._texts or self._calls or self._id or self._finish_reason)

    @property
    def is_finished(self) -> bool:
        """Whether the model has said that it is finished."""
        return self._finish_reason is not None

    @property
    def is_over(self) -> bool:
        """Whether the last event has come; here the marker `[DONE]` says so, which is no event."""
        return False

    def add(self, data: Sequence[bytes]) -> None:
        """Take the data of the events of one read; an error that one of them reports is kept in `error`.

        Raises ValueError at the first event that cannot be read; those before it count.
        """
        for each in data:
            event = decode_answer(each)
            if event.usage is not None:
                self._usage = event.usage
            if event.error is not None:
                self.error = event.error
            if not self._id:
                self._id, self._model = event.id or "", event.model or ""
            if not event.choices:
                continue
            choice = event.choices[0]
            if choice.error is not None:
                self.error = choice.error
            if choice.finish_reason is not None:
                self._finish_reason = choice.finish_reason
            if choice.delta is not None:
                self._grow(choice.delta)

    def finish(self, *, request_id: str) -> Answer:
        """Return the complete answer. Raises ProtocolError if nothing at all was said."""
        calls = _tool_calls([_joined(pieces) for _, pieces in sorted(self._calls.items())])
        text, reason = _checked(
            self.text if self._texts else None, "".join(self._refusal), self._finish_reason or UNKNOWN, calls
        )
        usage, cost_usd = read_usage(self._usage)
        return Answer(
            text=text,
            finish_reason=reason,
            usage=usage,
            tool_calls=calls,
            cost_usd=cost_usd,
            model=self._model,
            request_id=request_id or self._id,
            first_token_ms=self.first_token_ms,
        )

    def _grow(self, delta: WireMessage) -> None:
        text = delta.content if type(delta.content) is str else text_of(delta)
        if text is not None:
            self._texts.append(text)
        if delta.refusal:
            self._refusal.append(delta.refusal)
        for call in delta.tool_calls or ():
            # Servers that leave out the index send one call after another, each begun by its id.
            index = call.index
            if index is None:
                index = len(self._calls) if call.id or not self._calls else len(self._calls) - 1
            self._calls.setdefault(index, []).append(call)


def _joined(pieces: Sequence[WireToolCall]) -> WireToolCall:
    functions = [piece.function for piece in pieces if piece.function]
    whole = WireToolCall(id=next((piece.id for piece in pieces if piece.id), None))
    if functions:
        whole.function = functions[0]
        whole.function.name = next((function.name for function in functions if function.name), None)
        whole.function.arguments = "".join(arguments_of(function) for function in functions)
    return whole


def _tool_calls(wire: Sequence[WireToolCall]) -> tuple[ToolCall, ...]:
    calls = []
    for call in wire:
        if call.function is None or not call.function.name:
            raise ProtocolError("the answer holds a tool call without a name")
        calls.append(ToolCall(id=call.id or "", name=call.function.name, arguments=arguments_of(call.function)))
    return tuple(calls)


def _checked(text: str | None, refusal: str | None, reason: str, calls: tuple[ToolCall, ...]) -> tuple[str, str]:
    if text is None and refusal:
        return refusal, "refusal"
    if text is None and not calls and reason not in EXPLAINS_SILENCE:
        raise ProtocolError("the answer holds neither content nor tool calls")
    return text or "", reason
