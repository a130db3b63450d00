"""The wire format of OpenAI's chat completions: requests encoded, answers and events decoded. Pure.

Source: OpenAI API reference, chat completions; OpenRouter and llama.cpp where they add to it (November 2026).
What a server may get wrong without harm (usage, cost) is decoded loosely; the answer itself is not.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from cuewire.model.outputs import JsonOutput
from cuewire.model.requests import ChatMessage, ImageContent, ModelRequest
from cuewire.model.usage import Usage
from cuewire.providers.counts import amount_of, count_in, count_of


class TextPart(msgspec.Struct, gc=False):
    """A part of a content list; parts without text are ignored."""

    text: str = ""


class WireFunction(msgspec.Struct, gc=False):
    """A function call, whole or (in a stream) a piece of one."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class WireToolCall(msgspec.Struct):
    """A tool call, or the piece of one that belongs at `index`."""

    index: int | None = None
    id: str | None = None
    function: WireFunction | None = None


class WireMessage(msgspec.Struct):
    """The message of a choice, or (in a stream) what it grows by."""

    content: str | list[TextPart] | None = None
    refusal: str | None = None
    tool_calls: list[WireToolCall] | None = None


class WireChoice(msgspec.Struct):
    """One choice; a plain answer fills `message`, an event `delta`."""

    message: WireMessage | None = None
    delta: WireMessage | None = None
    finish_reason: str | None = None
    error: Any = None


class WireAnswer(msgspec.Struct):
    """A plain answer or one event of a stream: they differ only inside the choice."""

    choices: list[WireChoice] | None = None
    usage: Any = None
    error: Any = None
    id: str | None = None
    model: str | None = None


class WireModel(msgspec.Struct):
    """An entry of the list of models."""

    id: str


class WireModels(msgspec.Struct):
    """The list of models."""

    data: list[WireModel]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(WireAnswer).decode
_decode_models = msgspec.json.Decoder(WireModels).decode


def encode_request(request: ModelRequest, *, is_streamed: bool) -> bytes:
    """Return the body of a request. Parameters of the request win over what its output kind implies."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [wire_message(message) for message in request.messages],
    }
    if isinstance(request.output, JsonOutput) and "response_format" not in request.parameters:
        body.update(_response_format(request.output, request.messages))
    body.update(request.parameters)
    if is_streamed:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    return _encode(body)


def decode_answer(body: bytes) -> WireAnswer:
    """Decode a plain answer, or the data of one event. Raises ValueError."""
    try:
        return _decode(body)
    except msgspec.DecodeError:
        # Half of a surrogate pair is allowed, as servers send when a token ends inside a character.
        return msgspec.convert(json.loads(body), WireAnswer)


def decode_models(body: bytes) -> list[str]:
    """Decode the list of models into their names. Raises ValueError."""
    return [model.id for model in _decode_models(body).data]


def read_usage(usage: object) -> tuple[Usage, float | None]:
    """Return the token counts and the cost in USD that a server reported; what is not a count or a cost is None.

    The output is all that was written. xAI and Gemini leave what they do not show out of `completion_tokens` and count
    it in `total_tokens` alone.
    """
    if not isinstance(usage, dict):
        return Usage(), None
    prompt = usage.get("prompt_tokens_details")
    inputs, outputs = count_of(usage.get("prompt_tokens")), count_of(usage.get("completion_tokens"))
    cached = count_in(prompt, "cached_tokens")
    if cached is None:  # DeepSeek's name, Moonshot's place
        cached = count_of(usage.get("prompt_cache_hit_tokens", usage.get("cached_tokens")))
    reasoning = count_in(usage.get("completion_tokens_details"), "reasoning_tokens")
    if inputs is not None and outputs is not None:
        beside = (count_of(usage.get("total_tokens")) or 0) - inputs - outputs
        if beside > 0 and (reasoning or beside) == beside:
            outputs, reasoning = outputs + beside, beside
    return Usage(
        input_tokens=inputs,
        output_tokens=outputs,
        cached_tokens=cached,
        reasoning_tokens=reasoning,
        cache_write_tokens=count_in(prompt, "cache_write_tokens"),
    ), _cost(usage)


def text_of(message: WireMessage) -> str | None:
    """Return the text of a message, None if it has no content."""
    content = message.content
    return "".join(part.text for part in content) if isinstance(content, list) else content


def arguments_of(function: WireFunction) -> str:
    """Return the arguments of a function call as JSON text; some servers send them as an object."""
    arguments = function.arguments
    return _encode(arguments).decode() if isinstance(arguments, dict) else arguments or ""


def wire_message(message: ChatMessage) -> ChatMessage | dict[str, Any]:
    """Return a message as the wire format has it."""
    if isinstance(message.content, str) and not message.tool_calls:
        return message  # encodes as the wire format has it
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    if isinstance(message.content, tuple):
        wire["content"] = [
            {"type": "image_url", "image_url": {"url": part.url}}
            if isinstance(part, ImageContent)
            else {"type": "text", "text": part.text}
            for part in message.content
        ]
    if message.tool_calls:
        wire["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.name:
        wire["name"] = message.name
    if message.tool_call_id:
        wire["tool_call_id"] = message.tool_call_id
    return wire


def _response_format(output: JsonOutput, messages: tuple[ChatMessage, ...]) -> dict[str, Any]:
    if output.json_schema:
        schema = {"name": "answer", "schema": output.json_schema}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    # The API refuses this format unless the word stands somewhere in the messages.
    if any("json" in str(message.content).lower() for message in messages):
        return {"response_format": {"type": "json_object"}}
    return {}


def _cost(usage: dict[str, Any]) -> float | None:
    """Return what a server says that the call cost: xAI in ticks of 1e-10 USD, OpenRouter in USD.

    With a user's own key at the provider behind OpenRouter, `cost` is OpenRouter's share alone.
    """
    ticks = amount_of(usage.get("cost_in_usd_ticks"))
    if ticks is not None:
        return ticks / 1e10
    cost, details = amount_of(usage.get("cost")), usage.get("cost_details")
    if cost is None or usage.get("is_byok") is not True or not isinstance(details, dict):
        return cost
    return cost + (amount_of(details.get("upstream_inference_cost")) or 0.0)
