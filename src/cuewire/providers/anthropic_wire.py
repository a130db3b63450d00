"""The wire format of Anthropic's Messages API: answers and events decoded, usage read. Pure.

Source: Anthropic API reference, messages and streaming, and the types of anthropic-sdk-python (November 2026). What a
server may get wrong without harm (usage) is decoded loosely; the answer itself is not.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from cuewire.model.usage import Usage
from cuewire.providers.counts import count_in, count_of


class WireBlock(msgspec.Struct):
    """A block of an answer's content. Text and tool calls count; thinking and what server tools did do not."""

    type: str
    text: str = ""
    id: str = ""
    name: str = ""
    input: Any = None


class WireMessage(msgspec.Struct):
    """A plain answer, or (in a stream) what is known of it at its beginning."""

    type: str = ""
    content: list[WireBlock] | None = None
    stop_reason: str | None = None
    usage: Any = None
    error: Any = None
    id: str = ""
    model: str = ""


class WireDelta(msgspec.Struct, gc=False):
    """What a block grows by, or what is said of the message at its end."""

    text: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class WireEvent(msgspec.Struct):
    """One event of a stream."""

    type: str
    index: int = 0
    message: WireMessage | None = None
    content_block: WireBlock | None = None
    delta: WireDelta | None = None
    usage: Any = None
    error: Any = None


class WireModel(msgspec.Struct):
    """An entry of the list of models."""

    id: str


class WireModels(msgspec.Struct):
    """The list of models."""

    data: list[WireModel]


_Struct = TypeVar("_Struct", WireMessage, WireEvent)
_message = msgspec.json.Decoder(WireMessage)
_event = msgspec.json.Decoder(WireEvent)
_models = msgspec.json.Decoder(WireModels)


def decode_message(body: bytes) -> WireMessage:
    """Decode a plain answer. Raises ValueError."""
    return _decoded(_message, body, WireMessage)


def decode_event(data: bytes) -> WireEvent:
    """Decode the data of one event. Raises ValueError."""
    return _decoded(_event, data, WireEvent)


def decode_models(body: bytes) -> list[str]:
    """Decode the list of models into their names. Raises ValueError."""
    return [model.id for model in _models.decode(body).data]


def read_usage(usage: object) -> Usage:
    """Return the token counts of an answer.

    Anthropic counts what it read from its cache and wrote to it beside `input_tokens`; here the input is all of them.
    """
    if not isinstance(usage, dict):
        return Usage()
    fresh, read = count_of(usage.get("input_tokens")), count_of(usage.get("cache_read_input_tokens"))
    written = count_of(usage.get("cache_creation_input_tokens"))
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_tokens=count_of(usage.get("output_tokens")),
        cached_tokens=read,
        reasoning_tokens=count_in(usage.get("output_tokens_details"), "thinking_tokens"),
        cache_write_tokens=written,
        cache_write_1h_tokens=count_in(usage.get("cache_creation"), "ephemeral_1h_input_tokens"),
    )


def _decoded(decoder: msgspec.json.Decoder[_Struct], body: bytes, kind: type[_Struct]) -> _Struct:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError:
        # Half of a surrogate pair is allowed: a piece of a text may end inside a character.
        return msgspec.convert(json.loads(body), kind)
