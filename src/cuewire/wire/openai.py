"""OpenAI's chat completions, as any of its clients speaks them: requests read, answers and errors written.

`prompt/NAME@LABEL` as the model runs a stored prompt with `inputs` beside the standard fields, `provider/model` the
messages as they are. All fields that are not ours to read go to the model as parameters.

Source: OpenAI API reference, chat completions and models (November 2026).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from cuewire.model.errors import CuewireError, InvalidInput
from cuewire.model.orders import RunOptions
from cuewire.model.prompts import AD_HOC, BUILT_IN, Prompt, PromptVersion
from cuewire.model.requests import PROMPT_PROVIDER
from cuewire.model.results import Result
from cuewire.model.usage import Usage
from cuewire.wire.problems import problem_of
from cuewire.wire.shapes import Shape
from cuewire.wire.strict_json import convert, decode

MAX_CHOICES = 8
DONE = b"data: [DONE]\n\n"
_encode = msgspec.json.Encoder().encode


class StreamOptions(msgspec.Struct, frozen=True):
    """What a stream holds beside the answer."""

    include_usage: bool = False


class _Own(msgspec.Struct, frozen=True):
    """The fields of a request that are read here."""

    model: str
    messages: list[dict[str, Any]] = []
    inputs: dict[str, Any] = {}
    metadata: dict[str, Any] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int = 1


class ChatOrder(Shape, frozen=True):
    """A request for completions, as `App.run` takes it; `choices` is how many answers are asked for."""

    prompt: str
    model: str
    inputs: dict[str, Any]
    options: RunOptions
    choices: int
    is_streamed: bool
    with_usage: bool


def read_chat(body: bytes) -> ChatOrder:
    """Read the body of `POST /v1/chat/completions`. Raises InvalidInput with a JSON pointer."""
    fields = {name: value for name, value in decode(body, dict[str, Any]).items() if value is not None}
    own = convert(fields, _Own)
    parameters = {name: value for name, value in fields.items() if name not in _Own.__struct_fields__}
    if not 1 <= own.n <= MAX_CHOICES:
        raise InvalidInput(f"n must be 1 to {MAX_CHOICES}", field="/n")
    stored = prompt_of(own.model)
    inputs = dict(own.inputs)
    if own.messages:
        if "messages" in inputs:
            raise InvalidInput("messages are given twice", field="/inputs/messages", hint="leave one of them out")
        inputs["messages"] = [_message(message, f"/messages/{at}") for at, message in enumerate(own.messages)]
    elif not stored:
        raise InvalidInput(
            "there are no messages", field="/messages", hint=f"a stored prompt needs none: {PROMPT_PROVIDER}/NAME"
        )
    return ChatOrder(
        prompt=stored or AD_HOC,
        model=own.model,
        inputs=inputs,
        options={
            "model": None if stored else own.model,
            "parameters": parameters or None,
            "metadata": own.metadata,
        },
        choices=own.n,
        is_streamed=own.stream,
        with_usage=own.stream_options is not None and own.stream_options.include_usage,
    )


def prompt_of(model: str) -> str:
    """Return the reference of the stored prompt that a model's name stands for, nothing for any other model."""
    provider, _, reference = model.partition("/")
    return reference if provider == PROMPT_PROVIDER else ""


def completion(results: Sequence[Result], *, model: str, created: int) -> bytes:
    """Write the answer to a plain request; `created` in seconds since 1970. Its id is that of the first execution."""
    return _encode(
        {
            "id": results[0].id,
            "object": "chat.completion",
            "created": created,
            "model": model,
            "choices": [
                {
                    "index": index,
                    "message": {"role": "assistant", "content": _content(result), **_calls_of(result)},
                    "logprobs": None,
                    "finish_reason": _reason(result),
                }
                for index, result in enumerate(results)
            ],
            "usage": _usage([result.usage for result in results]),
            "cuewire": {**ours(results), "valid": all(result.valid for result in results)},
        }
    )


class ChunkWriter:
    """Writes the events of a streamed answer."""

    def __init__(self, *, name: str, model: str, created: int) -> None:
        self._head = {"id": name, "object": "chat.completion.chunk", "created": created, "model": model}

    def role(self) -> bytes:
        """Write the first event, which says who speaks."""
        return self._choice({"role": "assistant", "content": ""})

    def text(self, text: str) -> bytes:
        """Write a run of the answer."""
        return self._choice({"content": text})

    def end(self, result: Result, *, with_usage: bool) -> Iterator[bytes]:
        """Write what follows the last text: tool calls, the reason of the end, usage if it was asked for."""
        if result.tool_calls:
            calls = _calls_of(result)["tool_calls"]
            yield self._choice({"tool_calls": [{"index": index, **call} for index, call in enumerate(calls)]})
        yield self._choice({}, reason=_reason(result), cuewire={**ours([result]), "valid": result.valid})
        if with_usage:
            yield self._event({"choices": [], "usage": _usage([result.usage])})
        yield DONE

    def _choice(self, delta: Mapping[str, Any], *, reason: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return self._event({"choices": [choice], **more})

    def _event(self, fields: Mapping[str, Any]) -> bytes:
        return b"data: %b\n\n" % _encode({**self._head, **fields})


def error_body(error: CuewireError, *, request_id: str) -> tuple[int, bytes]:
    """Return the status and the body of an error in OpenAI's shape."""
    problem = problem_of(error, request_id=request_id)
    kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
    said = {
        "message": f"{problem.detail}; {problem.hint}" if problem.hint else problem.detail,
        "type": kinds.get(problem.status, "server_error" if problem.status >= 500 else "invalid_request_error"),
        "param": problem.field.removeprefix("/parameters").strip("/").replace("/", ".") or None,
        "code": problem.code,
    }
    return problem.status, _encode({"error": said, "request_id": request_id, "execution_id": problem.execution_id})


def model_list(prompts: Sequence[Prompt]) -> bytes:
    """Write the answer to `GET /v1/models`: each stored prompt that is not one of ours, and each of its labels."""
    names = []
    for prompt in prompts:
        if prompt.name in BUILT_IN:
            continue
        created = int(prompt.created_at.timestamp())
        names.append((f"{PROMPT_PROVIDER}/{prompt.name}", created))
        names.extend((f"{PROMPT_PROVIDER}/{prompt.name}@{label}", created) for label in sorted(prompt.labels))
    return _encode({"object": "list", "data": [_model(name, at) for name, at in names]})


def model_entry(version: PromptVersion, *, name: str) -> bytes:
    """Write the answer to `GET /v1/models/{name}`."""
    return _encode(_model(name, int(version.created_at.timestamp())))


def _model(name: str, created: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": created, "owned_by": "cuewire"}


def _message(message: Mapping[str, Any], pointer: str) -> dict[str, Any]:
    """Return a message as the input of a placeholder takes it; what we do not know of it (a refusal) is left out."""
    known: dict[str, Any] = {"role": message.get("role"), "content": message.get("content")}
    if isinstance(known["content"], list):
        known["content"] = [_part(part, f"{pointer}/content/{at}") for at, part in enumerate(known["content"])]
    for name in ("name", "tool_call_id"):
        if message.get(name):
            known[name] = message[name]
    if calls := message.get("tool_calls"):
        known["tool_calls"] = [_call(call, f"{pointer}/tool_calls/{at}") for at, call in enumerate(calls)]
    return known


def _part(part: Any, pointer: str) -> dict[str, Any]:
    match part:
        case {"type": "text", "text": str(text)}:
            return {"type": "text", "text": text}
        case {"type": "refusal", "refusal": str(text)}:  # what the assistant said in an earlier turn
            return {"type": "text", "text": text}
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return {"type": "image", "url": url}
    raise InvalidInput("is no part that can be sent", field=pointer, hint="text and image_url are")


def _call(call: Any, pointer: str) -> dict[str, Any]:
    match call:
        case {"id": str(name), "function": {"name": str(function), "arguments": str(arguments)}}:
            return {"id": name, "name": function, "arguments": arguments}
    raise InvalidInput("is not a call of a function", field=pointer)


def _content(result: Result) -> str | None:
    return None if result.tool_calls and not result.text else result.text


def _reason(result: Result) -> str:
    return result.finish_reason if result.finish_reason in _REASONS else "stop"


_REASONS = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
"""What clients that check the field accept."""


def _calls_of(result: Result) -> dict[str, Any]:
    if not result.tool_calls:
        return {}
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in result.tool_calls
    ]
    return {"tool_calls": calls}


def _usage(usages: Sequence[Usage]) -> dict[str, Any] | None:
    """Return the sum of what was reported, None (no usage) if nothing was: 0 would say that it was free."""
    known = [usage for usage in usages if usage.total_tokens is not None]
    if not known:
        return None
    prompt, completion = (
        sum(getattr(usage, name) or 0 for usage in known) for name in ("input_tokens", "output_tokens")
    )
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": _detail("cached_tokens", known),
        "completion_tokens_details": _detail("reasoning_tokens", known),
    }


def _detail(name: str, usages: Sequence[Usage]) -> dict[str, int] | None:
    told = [count for usage in usages if (count := getattr(usage, name)) is not None]
    return {name: sum(told)} if told else None


def ours(results: Sequence[Result]) -> dict[str, Any]:
    """Return what we say beside the protocol: which executions it was, of which version, and what they cost."""
    costs = [result.cost_usd for result in results]
    return {
        "execution_ids": [result.id for result in results],
        "prompt": f"{results[0].prompt}@{results[0].version}",
        "model": results[0].model,
        "cost_usd": None if any(cost is None for cost in costs) else sum(cost for cost in costs if cost is not None),
    }
