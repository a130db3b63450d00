"""What an author writes as content: the messages, and the variables that they read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cuewire.model.errors import InvalidInput, TemplateError
from cuewire.model.includes import Includes
from cuewire.model.prompts import Image, Message, MessageTemplate, Placeholder, Variable
from cuewire.model.text import check_json
from cuewire.ports import Renderer
from cuewire.registry.schemas import compiled
from cuewire.registry.texts import templates_of
from cuewire.template.schemas import both

MAX_MESSAGES = 200
_REMARKS = frozenset({"title", "description", "examples"})
"""What may be said of a history or an image, whose forms are fixed."""


def checked_messages(content: object) -> tuple[MessageTemplate, ...]:
    """Return the messages that an author gave, one of the user for a text. Raises InvalidInput."""
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


async def read_variables(
    messages: Sequence[MessageTemplate], renderer: Renderer, includes: Includes
) -> dict[str, Variable]:
    """Return the variables that messages and what they include read, in order. Raises InvalidInput, TemplateError."""
    found: dict[str, Variable] = {}
    for index, message in enumerate(messages):
        for name, variable in await _read_by(message, index, renderer, includes):
            found[name] = joined(name, found.get(name, variable), variable, field=f"/content/{index}")
    return found


def joined(name: str, known: Variable, variable: Variable, *, field: str = "") -> Variable:
    """Return what two templates say of an input. Raises InvalidInput if it is of two kinds."""
    if known.kind != variable.kind:
        raise InvalidInput(f"input {name!r} is used both as {known.kind} and as {variable.kind}", field=field)
    return both(known, variable)


def declared(found: Mapping[str, Variable], said: Mapping[str, Mapping[str, Any]]) -> dict[str, Variable]:
    """Return the variables with what their author says of them in place of what was found. Raises InvalidInput."""
    unread = [name for name in said if name not in found]
    if unread:
        raise InvalidInput(
            f"no template reads the declared variables: {', '.join(unread)}",
            problems=tuple((f"/variables/{name}", "is not read") for name in unread),
            hint=f"they read: {', '.join(found) or 'none'}",
        )
    return {name: declared_as(name, each, said[name]) if name in said else each for name, each in found.items()}


async def _read_by(
    message: MessageTemplate, index: int, renderer: Renderer, includes: Includes
) -> list[tuple[str, Variable]]:
    if isinstance(message, Placeholder):
        return [(input_name(message.input, index), Variable(kind="messages"))]
    read: list[tuple[str, Variable]] = []
    for text in templates_of([message]):
        try:
            names = await renderer.variables((text,), includes=includes)
        except TemplateError as error:
            error.field = f"/content/{index}"
            raise
        read += names.items()
    if not isinstance(message.content, str):
        images = [part for part in message.content if isinstance(part, Image)]
        read += [(input_name(image.input, index), Variable(kind="image")) for image in images]
    return read


def input_name(name: str, index: int) -> str:
    """Return the name of an input that a message names, if it is one. Raises InvalidInput."""
    if is_input_name(name):
        return name
    raise InvalidInput(f"{name[:80]!r} is not an input name", field=f"/content/{index}")


def is_input_name(name: str) -> bool:
    """Tell whether an input may be called so."""
    return name.isidentifier() and name.isascii() and len(name) <= 64


def declared_as(name: str, variable: Variable, schema: Mapping[str, Any]) -> Variable:
    """Return a variable with what its author says of it. Raises InvalidInput."""
    pointer = f"/variables/{name}"
    plain = dict(schema)
    check_json(plain, pointer=pointer)
    has_default = "default" in plain
    default = plain.pop("default", None)
    beyond = {key: value for key, value in schema.items() if key not in _REMARKS}
    if beyond and variable.kind != "value" and (variable.kind, beyond) != ("messages", {"default": []}):
        told = ", ".join(sorted(_REMARKS)) + (' and "default": []' if variable.kind == "messages" else "")
        raise InvalidInput(f"input {name!r} holds {variable.kind} and takes only {told}", field=pointer)
    validator = compiled(plain, pointer=pointer)
    if has_default:
        for error in validator.iter_errors(default):
            raise InvalidInput(f"the default of {name!r} is wrong: {error.message[:120]}", field=f"{pointer}/default")
    if has_default and default is None and variable.required:
        plain["default"] = None  # which tells it from an input that its templates can do without
    return Variable(
        kind=variable.kind, json_schema=plain, required=variable.required and not has_default, default=default
    )
