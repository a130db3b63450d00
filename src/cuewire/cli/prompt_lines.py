"""How prompts, versions, their differences and their history look, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec

from cuewire.cli.policy_lines import policy_lines
from cuewire.cli.text import UNKNOWN, moment
from cuewire.model.diffs import Diff, DiffLine, TextDiff
from cuewire.model.events import Event
from cuewire.model.includes import Includes
from cuewire.model.outputs import ChoiceOutput, JsonOutput, OutputKind
from cuewire.model.policies import Policy
from cuewire.model.prompts import Image, Message, Prompt, PromptVersion, Variable

CONTEXT = 3
"""How many lines around a difference are shown."""
_FIELDS: dict[str, Any] = {
    "model": str | None,
    "output": OutputKind,
    "parameters": dict[str, Any],
    "variables": dict[str, Variable],
    "lenient": bool,
    "policy": Policy,
    "includes": Includes,
}
"""What a version says beside its messages, each with its type."""
_SIGNS = {"same": " ", "removed": "-", "added": "+"}


def prompt_lines(prompt: Prompt) -> Iterator[str]:
    """Yield what is said of a prompt."""
    yield f"{prompt.name}  {scope(prompt)}, {prompt.language}"
    if prompt.description:
        yield f"about    {prompt.description}"
    category = f", category {prompt.category}" if prompt.category else ""
    yield f"type     {prompt.template_type}{category}"
    if prompt.tags:
        yield f"tags     {', '.join(prompt.tags)}"
    yield f"labels   {labels(prompt.labels)}"
    yield f"status   {prompt.status}, revision {prompt.revision}, changed {moment(prompt.updated_at)} UTC"


def scope(prompt: Prompt) -> str:
    """Return whose prompt it is."""
    return "global" if prompt.strategy is None else prompt.strategy


def labels(carried: Mapping[str, int]) -> str:
    """Return labels, each with the number of its version."""
    return ", ".join(f"{label} {number}" for label, number in sorted(carried.items())) or UNKNOWN


def version_lines(version: PromptVersion) -> Iterator[str]:
    """Yield all that a version is."""
    yield f"{version.prompt}@{version.number}  {', '.join(version.labels)}".rstrip()
    by = f" by {version.author}" if version.author else ""
    yield f"made     {moment(version.created_at)} UTC{by}, content {version.content_hash[:12]}"
    if version.note:
        yield f"note     {version.note}"
    yield ""
    for field in _FIELDS:
        yield from _said(field, getattr(version, field))
    for message in version.messages:
        yield ""
        if isinstance(message, Message):
            parts = (message.content,) if isinstance(message.content, str) else message.content
            text = "\n".join(f"the image in {part.input!r}" if isinstance(part, Image) else part for part in parts)
            yield from message_lines(message.role, text)
        else:
            yield f"the messages in {message.input!r}"


def message_lines(role: str, text: str) -> Iterator[str]:
    """Yield a message."""
    yield f"{role}:"
    yield from (f"  {line}" for line in text.splitlines())


def diff_lines(diff: Diff) -> Iterator[str]:
    """Yield a unified diff: of the texts as they came out if they did, else as they are written."""
    yield f"--- {diff.prompt}@{diff.first}"
    yield f"+++ {diff.prompt}@{diff.second}"
    for field in diff.fields:
        old, new = ([*_said(field.field, _typed(field.field, value))] for value in (field.first, field.second))
        yield from (f"-{line}" for line in old if line not in new)
        yield from (f"+{line}" for line in new if line not in old)
    if diff.rendered is None:
        for text in diff.messages:
            if text.first_role != text.second_role and text.first_role and text.second_role:
                yield f"-{text.first_role}:"
                yield f"+{text.second_role}:"
            yield from _hunks(text, text.second_role or text.first_role or "")
    else:
        for number, text in enumerate(diff.rendered, 1):
            yield from _hunks(text, "as it comes out" if len(diff.rendered) == 1 else f"text {number}, as it comes out")


def what_happened(event: Event) -> str:
    """Return an event in words."""
    data = dict(event.data)
    match event.action:
        case "label.moved":
            before = f"from {data['from']} to" if data.get("from") else "to"
            return f"moved {data['label']} {before} {data['to']}"
        case "version.published":
            return f"published version {data['number']}{_because(data.get('note'))}"
        case "prompt.created":
            data.pop("name", None)
            return f"created it{_with(data)}"
        case "prompt.changed":
            return f"changed{_with(data, before='')}"
        case "prompt.archived" | "prompt.activated" | "prompt.deactivated":
            data.pop("status", None)
            return f"{event.action.removeprefix('prompt.')} it{_with(data, before=' and changed')}"
        case "review.asked":
            return f"asked for review {data['review']}: {data['label']} to {data['to']}"
        case action if action.startswith("review."):
            return f"{action.removeprefix('review.')} review {data['review']}: {data['label']} to {data['to']}"
        case "user.role_changed":
            return f"made user {data['user']} {data['to']}, from {data['from']}"
    noun, _, verb = event.action.partition(".")
    whose = next((data[key] for key in ("label", "name", "user") if key in data), "")
    return f"{verb} {noun.replace('_', ' ')} {whose}".rstrip()


def _because(note: object) -> str:
    return f": {note}" if note else ""


def _with(data: Mapping[str, Any], *, before: str = " with") -> str:
    said = ", ".join(f"{name} {_json(value)}" for name, value in data.items())
    return f"{before} {said}" if said else ""


def _typed(field: str, value: object) -> Any:
    return msgspec.convert(value, _FIELDS[field])


def _said(field: str, value: Any) -> Iterator[str]:
    """Yield what a version says of a field, in a form made for comparing."""
    match field:
        case "model":
            yield f"model    {value or UNKNOWN}"
        case "output":
            yield f"output   {_output(value)}"
            if isinstance(value, JsonOutput) and value.example is not None:
                yield f"example  {_json(value.example)}"
        case "parameters":
            yield from (f"param    {name} = {_json(given)}" for name, given in sorted(value.items()))
        case "variables":
            yield from (f"input    {name}{_variable(variable)}" for name, variable in value.items())
        case "lenient" if value:
            yield "lenient  takes what inputs come"
        case "policy":
            yield from (f"policy   {line}" for line in policy_lines(value))
        case "includes":
            yield from (f"include  {_pin(name, pinned)}" for name, pinned in sorted(value.pins.items()))


def _pin(name: str, pinned: str) -> str:
    return pinned if name == pinned else f"{name}, which is {pinned}"


def _output(output: OutputKind) -> str:
    if isinstance(output, ChoiceOutput):
        return f"one of {', '.join(output.choices)}"
    if isinstance(output, JsonOutput) and output.json_schema:
        return f"json that satisfies {_json(output.json_schema)}"
    return type(output).__name__.removesuffix("Output").lower()


def _variable(variable: Variable) -> str:
    kind = {"value": "", "messages": ", a list of messages", "image": ", an image"}[variable.kind]
    schema = f", {_json(variable.json_schema)}" if variable.json_schema else ""
    return kind + schema + ("" if variable.required else f", default {_json(variable.default)}")


def _hunks(text: TextDiff, title: str) -> Iterator[str]:
    changed = [at for at, line in enumerate(text.lines) if line.kind != "same"]
    near = sorted({at for each in changed for at in range(each - CONTEXT, each + CONTEXT + 1)})
    shown = [at for at in near if 0 <= at < len(text.lines)]
    for _, run in groupby(enumerate(shown), key=lambda pair: pair[1] - pair[0]):
        lines = [text.lines[at] for _, at in run]
        yield f"@@ -{_range(lines, 'first')} +{_range(lines, 'second')} @@ {title}".rstrip()
        yield from (_SIGNS[line.kind] + line.text for line in lines)


def _range(lines: Sequence[DiffLine], side: str) -> str:
    numbers = [number for line in lines if (number := getattr(line, side)) is not None]
    return f"{numbers[0]},{len(numbers)}" if numbers else "0,0"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
