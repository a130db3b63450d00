"""The wire format of Gemini's generateContent: requests encoded, answers and events decoded. Pure.

Source: Gemini API reference, models.generateContent and models.list, and the guides to function calling, thinking and
thought signatures (November 2026). What may be wrong without harm (usage) is decoded loosely; the answer itself is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from mimetypes import guess_type
from typing import Any

import msgspec

from cuewire.model.errors import InvalidInput
from cuewire.model.requests import ChatMessage, ContentPart, ImageContent, ModelRequest, ToolCall
from cuewire.providers.gemini_parameters import generation_config, tool_settings

NO_SIGNATURE = "skip_thought_signature_validator"
"""What Google wants in place of a thought's signature for a call that comes without one: ours do not keep them."""

_MODEL = re.compile(r"(?:models/|tunedModels/)?[A-Za-z0-9][A-Za-z0-9._@+-]*")
_DATA = re.compile(r"data:([a-z0-9.+-]+/[a-z0-9.+-]+)(?:;[^,;]+)*;base64,", re.IGNORECASE)


class WireCall(msgspec.Struct, rename="camel"):
    """A function call; it always comes whole."""

    name: str
    args: dict[str, Any] | None = None
    id: str | None = None


class WirePart(msgspec.Struct, rename="camel"):
    """A part of an answer; those of other kinds are ignored. `thought` marks a summary of what was thought."""

    text: str | None = None
    thought: bool | None = None
    function_call: WireCall | None = None


class WireContent(msgspec.Struct):
    """The parts of an answer, or (in a stream) those that it grows by."""

    parts: list[WirePart] | None = None


class WireCandidate(msgspec.Struct, rename="camel"):
    """One candidate; there is never a second one, as none is asked for."""

    content: WireContent | None = None
    finish_reason: str | None = None
    finish_message: str | None = None


class WireFeedback(msgspec.Struct, rename="camel"):
    """What is said of the prompt; with a reason it was blocked."""

    block_reason: str | None = None
    block_reason_message: str | None = None


class WireAnswer(msgspec.Struct, rename="camel"):
    """A plain answer or one event of a stream: they are alike."""

    candidates: list[WireCandidate] | None = None
    prompt_feedback: WireFeedback | None = None
    usage_metadata: Any = None
    model_version: str | None = None
    response_id: str | None = None
    error: Any = None


class WireModel(msgspec.Struct, rename="camel"):
    """An entry of the list of models."""

    name: str
    supported_generation_methods: list[str] | None = None


class WireModels(msgspec.Struct, rename="camel"):
    """A page of the list of models; an empty one may leave out the list."""

    models: list[WireModel] = []
    next_page_token: str | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(WireAnswer).decode
_decode_models = msgspec.json.Decoder(WireModels).decode


def path_of(model: str, *, is_streamed: bool) -> str:
    """Return the path and query for a call of the model. Raises InvalidInput for what is no name of one."""
    if not _MODEL.fullmatch(model):
        raise InvalidInput(
            f"{model[:80]!r} is not the name of a Gemini model",
            field="/model",
            hint="write it as in gemini/gemini-2.5-flash or gemini/tunedModels/NAME",
        )
    resource = model if "/" in model else f"models/{model}"
    return f"{resource}:{'streamGenerateContent?alt=sse' if is_streamed else 'generateContent'}"


def encode_request(request: ModelRequest) -> bytes:
    """Return the body of a request, streamed or not. Raises InvalidInput for what Gemini has no way to say."""
    messages = request.messages
    contents = list(_contents(messages))
    if not contents:
        raise InvalidInput(
            "Gemini answers messages, and these are only instructions",
            field="/messages",
            hint="give the prompt a message with the role user",
        )
    body: dict[str, Any] = {"contents": contents}
    instructions = [part for message in messages if _is_instruction(message) for part in _parts(message.content)]
    if instructions:
        body["systemInstruction"] = {"parts": instructions}
    if config := generation_config(request):
        body["generationConfig"] = config
    body.update(tool_settings(request.parameters))
    return _encode(body)


def decode_answer(body: bytes) -> WireAnswer:
    """Decode a plain answer, or the data of one event. Raises ValueError."""
    try:
        return _decode(body)
    except msgspec.DecodeError:
        # Half of a surrogate pair is allowed, as servers send when a token ends inside a character.
        return msgspec.convert(json.loads(body), WireAnswer)


def decode_models(body: bytes) -> tuple[list[str], str]:
    """Decode a page of the list of models into the names of those that chat, and the token of the next page."""
    page = _decode_models(body)
    names = [
        model.name.removeprefix("models/")
        for model in page.models
        if model.supported_generation_methods is None or "generateContent" in model.supported_generation_methods
    ]
    return names, page.next_page_token or ""


def arguments_of(call: WireCall) -> str:
    """Return the arguments of a function call as JSON text."""
    return _encode(call.args or {}).decode()


def _is_instruction(message: ChatMessage) -> bool:
    return message.role in ("system", "developer")


def _contents(messages: Sequence[ChatMessage]) -> Iterator[dict[str, Any]]:
    """Yield the turns of the conversation: neighbours of one role are one turn, as Gemini wants answers of tools."""
    called: dict[str, str] = {}
    turn: dict[str, Any] = {}
    for message in messages:
        if _is_instruction(message):
            continue
        if message.name and message.role != "tool":
            raise InvalidInput(
                "a message has a name, which Gemini cannot be told", field="/messages", hint="put it into the text"
            )
        called.update((call.id, call.name) for call in message.tool_calls)
        parts = [_result(message, called)] if message.role == "tool" else _parts(message.content)
        parts += _calls(message.tool_calls)
        role = "model" if message.role == "assistant" else "user"
        if parts and turn and turn["role"] == role:
            turn["parts"] += parts
        elif parts:
            if turn:
                yield turn
            turn = {"role": role, "parts": parts}
    if turn:
        yield turn


def _parts(content: str | tuple[ContentPart, ...] | None) -> list[dict[str, Any]]:
    if content is None:
        return []
    if isinstance(content, str):
        return [{"text": content}]
    return [_image(part) if isinstance(part, ImageContent) else {"text": part.text} for part in content]


def _image(image: ImageContent) -> dict[str, Any]:
    if inline := _DATA.match(image.url):
        return {"inlineData": {"mimeType": inline[1].lower(), "data": image.url[inline.end() :]}}
    if image.url.startswith("data:"):
        raise InvalidInput("an image is not a data URI in base64", field="/messages", hint="encode it in base64")
    kind, _ = guess_type(image.url.partition("?")[0])
    return {"fileData": {**({"mimeType": kind} if kind else {}), "fileUri": image.url}}


def _calls(calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for call in calls:
        arguments = _as_object(call.arguments or "{}")
        if arguments is None:
            raise InvalidInput(
                f"the arguments of the call of tool {call.name!r} are not a JSON object", field="/messages"
            )
        part: dict[str, Any] = {"functionCall": {**_id(call.id), "name": call.name, "args": arguments}}
        if not parts:  # of calls made at once only the first is signed
            part["thoughtSignature"] = NO_SIGNATURE
        parts.append(part)
    return parts


def _result(message: ChatMessage, called: Mapping[str, str]) -> dict[str, Any]:
    name = message.name or called.get(message.tool_call_id or "")
    if not name:
        raise InvalidInput(
            f"the result of tool call {message.tool_call_id!r} does not follow its call, and names no tool",
            field="/messages",
            hint="keep the assistant's message with the call, or give the tool's name",
        )
    text = "".join(part.get("text", "") for part in _parts(message.content))
    response = _as_object(text)
    return {
        "functionResponse": {
            **_id(message.tool_call_id),
            "name": name,
            "response": {"result": text} if response is None else response,
        }
    }


def _id(id_: str | None) -> dict[str, str]:
    return {"id": id_} if id_ else {}


def _as_object(text: str) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
