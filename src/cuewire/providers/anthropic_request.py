"""Requests to Anthropic's Messages API: messages and parameters in OpenAI's terms, put into Anthropic's. Pure.

Source: Anthropic API reference, create a message, and the types of anthropic-sdk-python (November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from cuewire.model.errors import InvalidInput
from cuewire.model.outputs import JsonOutput
from cuewire.model.requests import ChatMessage, ImageContent, ModelRequest, ToolCall
from cuewire.providers.anthropic_parameters import translated, wanted_schema
from cuewire.providers.anthropic_schema import native_schema

Block: TypeAlias = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_DATA_URI = re.compile(r"data:(image/[a-z0-9.+-]+);base64,([A-Za-z0-9+/=_-]+)", re.IGNORECASE)


def encode_request(request: ModelRequest, *, is_streamed: bool) -> bytes:
    """Return the body of a request. Raises InvalidInput for what Anthropic's API has no way to say.

    System and developer messages become the system prompt, in their order; neighbours of one role become one message.
    JSON is asked for by a schema where the API can hold the answer to it, else in words.
    """
    parameters = translated(request.parameters)
    spoken = [message for message in request.messages if message.role not in ("system", "developer")]
    system = [_plain_text(message) for message in request.messages if message.role in ("system", "developer")]
    wanted = _wanted(request)
    if wanted is not None:
        schema = native_schema(wanted)
        if schema is None:
            system.append(_in_words(wanted))
        else:
            form = {"type": "json_schema", "schema": schema}
            parameters["output_config"] = {"format": form, **parameters.get("output_config", {})}
    body: dict[str, Any] = {"model": request.model, "messages": _turns(spoken), **parameters}
    if said := [text for text in system if text]:
        body["system"] = "\n\n".join(said)
    if is_streamed:
        body["stream"] = True
    return _encode(body)


def _wanted(request: ModelRequest) -> Mapping[str, Any] | None:
    """Return the schema of the wanted JSON. A format among the parameters wins over the output kind."""
    form = request.parameters.get("response_format")
    if form is not None:
        return wanted_schema(form)
    return request.output.json_schema if isinstance(request.output, JsonOutput) else None


def _in_words(schema: Mapping[str, Any]) -> str:
    if not schema:
        return "Answer with one JSON value and nothing else."
    rules = _encode(schema).decode()
    return f"Answer with one JSON value that satisfies this JSON Schema, and with nothing else:\n{rules}"


def _turns(messages: Sequence[ChatMessage]) -> list[Block]:
    turns: list[tuple[str, list[Block]]] = []
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(message)
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        elif blocks:
            turns.append((role, blocks))
    if not turns:
        raise InvalidInput(
            "Anthropic's API wants a message of the user, and there is none with text",
            field="/messages",
            hint="put what is asked into a user message, not into the system message",
        )
    return [{"role": role, "content": _shortened(blocks)} for role, blocks in turns]


def _shortened(blocks: list[Block]) -> str | list[Block]:
    is_plain = len(blocks) == 1 and blocks[0]["type"] == "text"
    return blocks[0]["text"] if is_plain else blocks


def _blocks(message: ChatMessage) -> list[Block]:
    if message.role == "tool":
        if not message.tool_call_id:
            raise InvalidInput("a tool message says no tool_call_id", field="/messages")
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id, "content": _parts(message)}]
    if message.name:
        raise InvalidInput(
            f"Anthropic's API knows no names of speakers, and a message is by {message.name[:80]!r}",
            field="/messages",
            hint="write the name into the text",
        )
    return [*_parts(message), *map(_tool_use, message.tool_calls)]


def _parts(message: ChatMessage) -> list[Block]:
    """Return the content as blocks; empty texts are left out, which the API refuses."""
    if not isinstance(message.content, tuple):
        return [{"type": "text", "text": message.content}] if message.content else []
    return [
        _image(part.url) if isinstance(part, ImageContent) else {"type": "text", "text": part.text}
        for part in message.content
        if isinstance(part, ImageContent) or part.text
    ]


def _plain_text(message: ChatMessage) -> str:
    blocks = _parts(message)
    if any(block["type"] != "text" for block in blocks):
        raise InvalidInput("a system message holds an image, which Anthropic's API does not take", field="/messages")
    return "\n\n".join(block["text"] for block in blocks)


def _image(url: str) -> Block:
    if not url.startswith("data:"):
        return {"type": "image", "source": {"type": "url", "url": url}}
    data = _DATA_URI.fullmatch(url)
    if data is None:
        raise InvalidInput(
            f"an image begins {url[:40]!r}, which is not base64 of an image",
            field="/messages",
            hint="write it as data:image/png;base64,...",
        )
    return {"type": "image", "source": {"type": "base64", "media_type": data[1].lower(), "data": data[2]}}


def _tool_use(call: ToolCall) -> Block:
    try:
        arguments = _decode(call.arguments or "{}")
    except (ValueError, RecursionError):
        raise InvalidInput(
            f"the arguments of the tool call {call.name[:80]!r} are not a JSON object, which Anthropic's API wants",
            field="/messages",
        ) from None
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}
