"""How to ask an endpoint of any kind and where its answer is: a JSON template and JSON Pointers. Pure.

The template's texts hold placeholders and nothing is evaluated: it is no template language. What a request holds and
the template has no place for is refused, so that nothing is dropped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from cuewire.model.errors import ConfigError, InvalidInput, ProtocolError
from cuewire.model.requests import ChatMessage, ImageContent, ModelRequest
from cuewire.model.results import Answer
from cuewire.model.usage import Usage
from cuewire.model.values import Value
from cuewire.providers.counts import count_of
from cuewire.providers.openai_answer import UNKNOWN
from cuewire.providers.openai_wire import wire_message
from cuewire.providers.upstream import ErrorInside

METHODS = ("POST", "PUT", "PATCH")
WELL_KNOWN = ("", "/response", "/content", "/text", "/choices/0/message/content", "/completion")
"""Where the text of an answer is looked for when nobody says where it is; the first of these that is a text is it."""

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_PARAMETER = re.compile(r"parameters\.([a-z][a-z0-9_]{0,63})")
_NAMES = ("model", "prompt", "system", "messages")
_MISSING = object()


class Form(Value, frozen=True):
    """How an endpoint is asked: `body` is the template, `answer` the JSON Pointer to the text, empty for all of it.

    Without `answer` the places in WELL_KNOWN are tried, and then the answer as a whole is the text. `usage_input` and
    `usage_output` point to token counts. `models` is what the provider lists. The key goes into `key_header` as it is,
    or, if that is `Authorization`, after the word Bearer.
    """

    body: Any
    method: str = "POST"
    key_header: str = "Authorization"
    answer: str | None = None
    usage_input: str | None = None
    usage_output: str | None = None
    models: tuple[str, ...] = ()

    @property
    def placeholders(self) -> frozenset[str]:
        """The names of the placeholders in the body."""
        return frozenset(name for text in _texts(self.body) for name in _PLACEHOLDER.findall(text))


def read_form(said: Mapping[str, Any], *, place: str) -> Form:
    """Read the settings of an endpoint; `place` is where they stand. Raises ConfigError, which names the setting."""

    def refused(name: str, problem: str, hint: str) -> ConfigError:
        return ConfigError(f"{place}.{name} {problem}", hint=hint, field=f"{place}.{name}")

    body = said.get("body")
    if isinstance(body, str):
        try:
            body = msgspec.json.decode(body)
        except (ValueError, RecursionError) as error:
            raise refused("body", f"is not JSON: {error}", "write it as a table, or as JSON text") from None
    if body is None:
        raise refused("body", "is missing", 'say what to send, as in body = {prompt = "{{prompt}}"}')
    form = Form(**{**said, "body": body, "models": tuple(said.get("models", ()))})
    for name in sorted(form.placeholders):
        if name not in _NAMES and not _PARAMETER.fullmatch(name):
            known = ", ".join(f"{{{{{each}}}}}" for each in (*_NAMES, "parameters.NAME"))
            raise refused("body", f"holds the unknown placeholder {{{{{name}}}}}", f"known: {known}")
    if form.method not in METHODS:
        raise refused("method", f"is {form.method!r}", f"use one of {', '.join(METHODS)}")
    for name in ("answer", "usage_input", "usage_output"):
        pointer = getattr(form, name)
        if pointer and not pointer.startswith("/"):
            raise refused(name, f"is no JSON Pointer: {pointer!r}", "write it as in /choices/0/text")
    return form


def fill(form: Form, request: ModelRequest) -> bytes:
    """Return the body of a request. Raises InvalidInput for what the template has no place for."""
    held = form.placeholders
    _check_places(held, request)
    values: dict[str, Any] = {f"parameters.{name}": value for name, value in request.parameters.items()}
    values["model"] = request.model
    instructions = [_text(message) for message in request.messages if _is_instruction(message)]
    if instructions:
        values["system"] = "\n\n".join(instructions)
    asked = [message for message in request.messages if message.role == "user"]
    if asked:
        values["prompt"] = _text(asked[-1])
    elif "prompt" in held:
        raise InvalidInput(
            "there is no user message to send as {{prompt}}",
            field="/messages",
            hint="give the prompt a message with the role user",
        )
    if "messages" in held:
        values["messages"] = [wire_message(message) for message in request.messages]
    filled = _filled(form.body, values)
    return msgspec.json.encode(None if filled is _MISSING else filled)


def read_answer(form: Form, body: bytes, *, request_id: str) -> Answer:
    """Read the answer, as ReadWhole does."""
    document = msgspec.json.decode(body)
    about = document if isinstance(document, dict) else {}
    named = about.get("id")
    model, reason = about.get("model"), found_at(document, "/choices/0/finish_reason")
    return Answer(
        text=_answer_text(form.answer, document),
        finish_reason=(reason if isinstance(reason, str) else "") or UNKNOWN,
        usage=Usage(
            input_tokens=_count_at(document, form.usage_input), output_tokens=_count_at(document, form.usage_output)
        ),
        model=model if isinstance(model, str) else "",
        request_id=request_id or (named if isinstance(named, str) else ""),
    )


def found_at(document: object, pointer: str) -> object:
    """Return the value at a JSON Pointer (RFC 6901), None if there is none."""
    value = _resolve(document, pointer)
    return None if value is _MISSING else value


def _answer_text(pointer: str | None, document: object) -> str:
    if pointer is None:
        for place in WELL_KNOWN:
            if isinstance(text := found_at(document, place), str):
                return text
        value = document
    else:
        value = _resolve(document, pointer)
    if (pointer is None or value is _MISSING) and (reported := found_at(document, "/error")):
        raise ErrorInside(reported)
    if value is _MISSING or value is None:
        raise ProtocolError(f"the answer holds nothing at {pointer!r}" if pointer else "the answer is null")
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _resolve(document: object, pointer: str) -> object:
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(name, _MISSING)
        elif isinstance(document, list) and name.isdecimal() and name.isascii() and len(name) < 10:
            document = document[int(name)] if int(name) < len(document) else _MISSING
        else:
            return _MISSING
    return document


def _count_at(document: object, pointer: str | None) -> int | None:
    return None if pointer is None else count_of(found_at(document, pointer))


def _check_places(held: frozenset[str], request: ModelRequest) -> None:
    """Refuse a request that holds what the template would leave out.

    But for a seed: policies give candidates seeds to tell them apart, and an endpoint without may still be one of them.
    """
    for name in request.parameters:
        if name != "seed" and f"parameters.{name}" not in held:
            raise _no_place(f"parameter {name!r}", f"parameters.{name}", field=f"/parameters/{name}")
    if "messages" in held:
        return
    if "system" not in held and any(map(_is_instruction, request.messages)):
        raise _no_place("the instructions", "system")
    others = [message for message in request.messages if not _is_instruction(message)]
    if len(others) > 1:
        raise _no_place(f"a conversation of {len(others)} messages", "messages")
    for message in others:
        if message.name:
            raise _no_place("the name of a message", "messages")
        if isinstance(message.content, tuple) and any(isinstance(part, ImageContent) for part in message.content):
            raise _no_place("the images", "messages")
        if "prompt" not in held:
            raise _no_place("the user's message", "prompt")


def _no_place(what: str, placeholder: str, *, field: str = "/messages") -> InvalidInput:
    return InvalidInput(
        f"the provider's body has no place for {what}",
        field=field,
        hint=f"put {{{{{placeholder}}}}} into the provider's body in cuewire.toml, or choose another provider",
    )


def _is_instruction(message: ChatMessage) -> bool:
    return message.role in ("system", "developer")


def _text(message: ChatMessage) -> str:
    if isinstance(message.content, tuple):
        return "".join(part.text for part in message.content if not isinstance(part, ImageContent))
    return message.content or ""


def _filled(template: object, values: Mapping[str, Any]) -> Any:
    """Put the values into their places; a member or item that is one placeholder without a value is left out."""
    if isinstance(template, dict):
        pairs = ((name, _filled(item, values)) for name, item in template.items())
        return {name: item for name, item in pairs if item is not _MISSING}
    if isinstance(template, list):
        return [item for item in (_filled(item, values) for item in template) if item is not _MISSING]
    if not isinstance(template, str):
        return template
    if alone := _PLACEHOLDER.fullmatch(template):
        return values.get(alone[1], _MISSING)
    return _PLACEHOLDER.sub(lambda found: _as_text(values.get(found[1], "")), template)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _texts(template: object) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, dict | list):
        for item in template.values() if isinstance(template, dict) else template:
            yield from _texts(item)
