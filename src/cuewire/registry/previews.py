"""How a prompt looks with some inputs, before anything is spent: with marks for what is missing, or as a run has it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from cuewire.model.analyses import CLOSE, OPEN, Marked, Preview, PreviewedMessage, Problem
from cuewire.model.errors import TemplateError
from cuewire.model.includes import NOTHING, Includes
from cuewire.model.prompts import Content, Image, Inputs, MessageTemplate, Placeholder, PromptVersion, Variable
from cuewire.model.requests import ContentPart, TextContent
from cuewire.model.template_types import TemplateType
from cuewire.model.text import check_object
from cuewire.ports import Renderer
from cuewire.registry.contents import checked_messages, declared, read_variables
from cuewire.registry.includes import Find, find_includes, nowhere
from cuewire.registry.inputs import Fault, faults, filled, history, refuse
from cuewire.registry.texts import rendered, templates_of
from cuewire.template.filters.text import count_tokens

_NONE: Mapping[str, Any] = {}
_END_OF_ROOT = re.compile(r"[.\[]")


class Previewable(NamedTuple):
    """What can be previewed: what a version holds of its text."""

    messages: Sequence[MessageTemplate]
    variables: Mapping[str, Variable]
    includes: Includes = NOTHING
    lenient: bool = False


async def previewable(
    content: Content,
    *,
    renderer: Renderer,
    find: Find = nowhere,
    variables: Mapping[str, Mapping[str, Any]] = _NONE,
    lenient: bool = False,
) -> Previewable:
    """Return content as what can be previewed; the options are those of `publish`.

    Raises InvalidInput, TemplateError, and what `find` raises for what is included.
    """
    messages = checked_messages(content)
    includes = await find_includes("", messages, renderer=renderer, find=find)
    found = await read_variables(messages, renderer, includes)
    return Previewable(messages, declared(found, variables), includes, lenient)


def of_version(version: PromptVersion) -> Previewable:
    """Return a version as what can be previewed."""
    return Previewable(version.messages, version.variables, version.includes, version.lenient)


async def preview(
    shown: Previewable,
    inputs: Inputs | None = None,
    *,
    renderer: Renderer,
    strict: bool = False,
    examples: bool = False,
    template_type: TemplateType | None = None,
    at: datetime | None = None,
) -> Preview:
    """Return how messages look, with a mark for each value that is missing; what a run would refuse is a warning.

    With `strict` it is refused, and the texts are those that a run would send. With `examples` a missing input takes
    the first of the `examples` in its JSON Schema, else of the type of template. Raises InvalidInput, and TemplateError
    with the message in `field`.
    """
    given = check_object(inputs, pointer="/inputs")
    if examples:
        given = {**_examples(shown, template_type), **given}
    values = filled(shown.variables, given)
    wrong = [*faults(shown.variables, given, lenient=strict and shown.lenient)]
    try:
        if strict:
            refuse(wrong, shown.variables, of="the preview")
            marked = Marked(texts=tuple(await _as_run(shown, values, renderer, at)))
        else:
            marked = await renderer.preview(templates_of(shown.messages), values, at=at, includes=shown.includes)
    except TemplateError as error:
        error.field = _message_of(error.field, shown)
        raise
    known = {fault.name for fault in wrong if fault.code == "missing"}
    wrong += [Fault("missing", name, "is missing") for name in marked.names if _END_OF_ROOT.split(name)[0] not in known]
    return Preview(
        messages=tuple(_messages(shown, values, iter(marked.texts))),
        warnings=tuple(map(_warning, wrong)),
        inputs=values,
        tokens=sum(map(count_tokens, marked.texts)),
    )


def _warning(fault: Fault) -> Problem:
    return Problem(code=fault.code, message=f"'{fault.name}' {fault.message}", name=fault.name)


async def _as_run(
    shown: Previewable, values: Mapping[str, Any], renderer: Renderer, at: datetime | None
) -> Sequence[str]:
    key = sha256(msgspec.msgpack.encode((templates_of(shown.messages), shown.includes))).hexdigest()
    return await rendered(shown, values, renderer, key=key, at=at)


def _examples(shown: Previewable, template_type: TemplateType | None) -> dict[str, Any]:
    """Return an example for each value that has one and must be given."""
    found: dict[str, Any] = {}
    for name, variable in shown.variables.items():
        usual = template_type.find(name) if template_type else None
        examples = variable.json_schema.get("examples") or (usual.json_schema.get("examples") if usual else None)
        if examples and variable.required and variable.kind == "value":
            found[name] = examples[0]
    return found


def _messages(shown: Previewable, values: Mapping[str, Any], texts: Iterator[str]) -> Iterator[PreviewedMessage]:
    for message in shown.messages:
        if isinstance(message, Placeholder):
            yield from _history(message.input, values)
        elif isinstance(message.content, str):
            yield PreviewedMessage(role=message.role, text=next(texts))
        else:
            parts = [_image(part, values) if isinstance(part, Image) else next(texts) for part in message.content]
            yield PreviewedMessage(role=message.role, text="\n".join(parts))


def _history(name: str, values: Mapping[str, Any]) -> Iterator[PreviewedMessage]:
    try:
        for message in history(values[name]):
            content = message.content
            parts = [content] if isinstance(content, str) else [_shown(part) for part in content or ()]
            yield PreviewedMessage(role=message.role, text="\n".join(parts))
    except (KeyError, msgspec.ValidationError):
        yield PreviewedMessage(role="user", text=_mark(name))


def _shown(part: ContentPart) -> str:
    return part.text if isinstance(part, TextContent) else part.url


def _image(image: Image, values: Mapping[str, Any]) -> str:
    return str(values[image.input]) if image.input in values else _mark(image.input)


def _mark(name: str) -> str:
    return f"{OPEN}{name}{CLOSE}"


def _message_of(field: str, shown: Previewable) -> str:
    """Return where the message is whose template an error points to."""
    owners = [index for index, message in enumerate(shown.messages) for _ in templates_of([message])]
    number = field.removeprefix("/templates/")
    return f"/content/{owners[int(number)]}" if number.isdecimal() else field
