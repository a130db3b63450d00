"""From what an author writes to a complete draft of a version: checked, hashed, ready to store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec

from cuewire.model.errors import InvalidInput, TemplateError
from cuewire.model.outputs import JsonOutput, parse_output
from cuewire.model.prompts import (
    Content,
    Image,
    Message,
    MessageTemplate,
    Placeholder,
    Variable,
    VersionDraft,
    check_name,
)
from cuewire.model.requests import check_parameters, parse_model
from cuewire.model.text import check_json
from cuewire.ports import Renderer
from cuewire.registry.schemas import compiled

MAX_MESSAGES = 200
MAX_NOTE = 2_000

_NONE: Mapping[str, Any] = {}


async def make_draft(
    name: str,
    content: Content,
    *,
    renderer: Renderer,
    model: str | None = None,
    output: str | Sequence[str] | Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] = _NONE,
    variables: Mapping[str, Mapping[str, Any]] = _NONE,
    note: str = "",
) -> VersionDraft:
    """Check everything that an author gave and return the draft. Raises InvalidInput, TemplateError."""
    check_name(name, field="/name")
    messages = _messages(content)
    chosen = dict(parameters)
    check_json(chosen, pointer="/parameters")
    check_parameters(chosen)
    model_name = str(parse_model(model)) if model is not None else None
    check_json(note, pointer="/note")
    if len(note) > MAX_NOTE:
        raise InvalidInput(f"note is longer than {MAX_NOTE} characters", field="/note")
    kind = parse_output(output)
    if isinstance(kind, JsonOutput):
        compiled(kind.json_schema, pointer="/output")
    found = await _variables(messages, variables, renderer)
    return VersionDraft(
        prompt=name,
        messages=messages,
        variables=found,
        model=model_name,
        parameters=chosen,
        output=kind,
        content_hash=_hash((messages, found, model_name, chosen, kind)),
        note=note,
    )


async def find_variables(content: Content, *, renderer: Renderer) -> dict[str, Variable]:
    """Return the variables that the content reads, in order of appearance. Raises InvalidInput, TemplateError."""
    return await _variables(_messages(content), _NONE, renderer)


def _hash(whole: tuple[object, ...]) -> str:
    return sha256(msgspec.json.encode(whole, order="deterministic")).hexdigest()


def _messages(content: object) -> tuple[MessageTemplate, ...]:
    if isinstance(content, str):
        check_json(content, pointer="/content")
        return (Message("user", content),)
    if not isinstance(content, list | tuple) or not 1 <= len(content) <= MAX_MESSAGES:
        raise InvalidInput(f"content must be a text, or 1 to {MAX_MESSAGES} messages", field="/content")
    return tuple(_message(item, f"/content/{index}") for index, item in enumerate(content))


def _message(item: Any, pointer: str) -> MessageTemplate:
    plain = msgspec.to_builtins(item) if isinstance(item, Message | Placeholder) else item
    check_json(plain, pointer=pointer)
    if isinstance(plain, dict) and "type" not in plain:
        plain = {"type": "message", **plain}
    try:
        message: MessageTemplate = msgspec.convert(plain, Message | Placeholder)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"not a message: {error}",
            field=pointer,
            hint='write {"role": "user", "content": "..."} or {"type": "messages", "input": "history"}',
        ) from None
    return message


async def _variables(
    messages: tuple[MessageTemplate, ...], declared: Mapping[str, Mapping[str, Any]], renderer: Renderer
) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for index, message in enumerate(messages):
        for name, variable in await _read_by(message, index, renderer):
            known = found.get(name)
            if known and known.kind != variable.kind:
                raise InvalidInput(
                    f"input {name!r} is used both as {known.kind} and as {variable.kind}", field=f"/content/{index}"
                )
            required = variable.required or bool(known and known.required)
            found[name] = Variable(kind=variable.kind, required=required)
    unread = [name for name in declared if name not in found]
    if unread:
        raise InvalidInput(
            f"no template reads the declared variables: {', '.join(unread)}",
            problems=tuple((f"/variables/{name}", "is not read") for name in unread),
            hint=f"they read: {', '.join(found) or 'none'}",
        )
    return {name: _declared(name, variable, declared.get(name)) for name, variable in found.items()}


async def _read_by(message: MessageTemplate, index: int, renderer: Renderer) -> list[tuple[str, Variable]]:
    if isinstance(message, Placeholder):
        return [(_input_name(message.input, index), Variable(kind="messages"))]
    read: list[tuple[str, Variable]] = []
    for text in _texts(message):
        try:
            names = await renderer.variables((text,))
        except TemplateError as error:
            error.field = f"/content/{index}"
            raise
        read += [(name, Variable(required=required)) for name, required in names.items()]
    if not isinstance(message.content, str):
        images = [part for part in message.content if isinstance(part, Image)]
        read += [(_input_name(image.input, index), Variable(kind="image")) for image in images]
    return read


def _texts(message: Message) -> Iterator[str]:
    if isinstance(message.content, str):
        yield message.content
    else:
        yield from (part for part in message.content if isinstance(part, str))


def _input_name(name: str, index: int) -> str:
    if not name.isidentifier() or not name.isascii() or len(name) > 64:
        raise InvalidInput(f"{name[:80]!r} is not an input name", field=f"/content/{index}")
    return name


def _declared(name: str, variable: Variable, schema: Mapping[str, Any] | None) -> Variable:
    if schema is None:
        return variable
    pointer = f"/variables/{name}"
    plain = dict(schema)
    check_json(plain, pointer=pointer)
    has_default = "default" in plain
    default = plain.pop("default", None)
    if variable.kind == "image" or (variable.kind == "messages" and (plain or default != [])):
        allowed = "no declaration" if variable.kind == "image" else 'no declaration but {"default": []}'
        raise InvalidInput(f"input {name!r} holds {variable.kind} and takes {allowed}", field=pointer)
    validator = compiled(plain, pointer=pointer)
    if has_default:
        for error in validator.iter_errors(default):
            raise InvalidInput(f"the default of {name!r} is wrong: {error.message[:120]}", field=f"{pointer}/default")
    return Variable(
        kind=variable.kind, json_schema=plain, required=variable.required and not has_default, default=default
    )
