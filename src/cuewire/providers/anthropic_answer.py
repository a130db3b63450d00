"""From messages and events of Anthropic's API to an Answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cuewire.model.errors import ProtocolError
from cuewire.model.requests import ToolCall
from cuewire.model.results import Answer
from cuewire.providers.anthropic_wire import (
    WireBlock,
    WireEvent,
    WireMessage,
    decode_event,
    decode_message,
    read_usage,
)
from cuewire.providers.growing import GrowingText
from cuewire.providers.upstream import ErrorInside

UNKNOWN = "unknown"
"""The finish reason of an answer that is complete but does not say why it ended."""

_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
}
"""OpenAI's words for why an answer ended; `refusal` and `pause_turn` have none and stay."""

_encode = msgspec.json.Encoder().encode


def read_whole(body: bytes, *, request_id: str) -> Answer:
    """Read a plain answer, as ReadWhole does. An answer without content is one: the model had nothing to add."""
    wire = decode_message(body)
    if wire.error:
        raise ErrorInside(wire.error)
    if wire.content is None:
        raise ProtocolError("the answer holds no content")
    return Answer(
        text="".join(block.text for block in wire.content if block.type == "text"),
        finish_reason=_reason(wire.stop_reason),
        usage=read_usage(wire.usage),
        tool_calls=tuple(_tool_call(block, "") for block in wire.content if block.type == "tool_use"),
        model=wire.model,
        request_id=request_id or wire.id,
    )


class GrowingMessage(GrowingText):
    """The answer of a streamed call, put together event by event."""

    __slots__ = (
        "_arguments",
        "_calls",
        "_message",
        "_stop_reason",
        "_usage",
        "is_over",
    )

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[int, WireBlock] = {}
        self._arguments: dict[int, list[str]] = {}
        self._message: WireMessage | None = None
        self._stop_reason: str | None = None
        self._usage: dict[str, object] = {}
        self.is_over = False

    @property
    def is_empty(self) -> bool:
        """Whether no event has arrived that says anything of an answer."""
        return self._message is None and not self._texts

    @property
    def is_finished(self) -> bool:
        """Whether the model has said that it is finished; usage comes in the same event."""
        return self._stop_reason is not None or self.is_over

    def add(self, data: Sequence[bytes]) -> None:
        """Take the data of the events of one read; an error that one of them reports is kept in `error`.

        Raises ValueError at the first event that cannot be read; those before it count.
        """
        for each in data:
            self._take(decode_event(each))

    def finish(self, *, request_id: str) -> Answer:
        """Return the complete answer. Raises ProtocolError if it never began."""
        if self._message is None:
            raise ProtocolError("the stream ends an answer that it never began")
        calls = [_tool_call(block, "".join(self._arguments.get(at, ()))) for at, block in sorted(self._calls.items())]
        return Answer(
            text=self.text,
            finish_reason=_reason(self._stop_reason),
            usage=read_usage(self._usage),
            tool_calls=tuple(calls),
            model=self._message.model,
            request_id=request_id or self._message.id,
            first_token_ms=self.first_token_ms,
        )

    def _take(self, event: WireEvent) -> None:
        """Take an event; `ping` and types that are yet to come say nothing."""
        match event:
            case WireEvent(type="content_block_delta", delta=delta) if delta is not None:
                if delta.text is not None:
                    self._texts.append(delta.text)
                if delta.partial_json is not None:
                    self._arguments.setdefault(event.index, []).append(delta.partial_json)
            case WireEvent(type="content_block_start", content_block=block) if block is not None:
                if block.type == "text" and block.text:
                    self._texts.append(block.text)
                if block.type == "tool_use":
                    self._calls[event.index] = block
            case WireEvent(type="message_start", message=message) if message is not None:
                self._message = message
                self._count(message.usage)
            case WireEvent(type="message_delta"):
                self._stop_reason = (event.delta and event.delta.stop_reason) or self._stop_reason
                self._count(event.usage)
            case WireEvent(type="message_stop"):
                self.is_over = True
            case WireEvent(type="error"):
                self.error = event.error or "the stream reports an error that it does not name"

    def _count(self, usage: object) -> None:
        """Take counts in place of earlier ones: they are totals, and later events leave out what has not changed."""
        if isinstance(usage, dict):
            self._usage.update({name: count for name, count in usage.items() if count is not None})


def _reason(stop_reason: str | None) -> str:
    return _REASONS.get(stop_reason, stop_reason) if stop_reason else UNKNOWN


def _tool_call(block: WireBlock, arguments: str) -> ToolCall:
    """Return the call; its arguments came in pieces of JSON, or with the block as an object."""
    if not block.name:
        raise ProtocolError("the answer holds a tool call without a name")
    given = {} if block.input is None else block.input
    return ToolCall(id=block.id, name=block.name, arguments=arguments or _encode(given).decode())
