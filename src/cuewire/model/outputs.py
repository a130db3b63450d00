"""Output kinds: what a version promises that the model's answer is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from cuewire.model.errors import InvalidInput
from cuewire.model.text import check_json
from cuewire.model.values import Value

MAX_CHOICES = 1_000


class TextOutput(Value, frozen=True, tag="text"):
    """Any text, as it came."""


class ChoiceOutput(Value, frozen=True, tag="choice"):
    """Exactly one of the listed texts."""

    choices: tuple[str, ...]


class NumberOutput(Value, frozen=True, tag="number"):
    """One finite number and nothing else."""


class BooleanOutput(Value, frozen=True, tag="boolean"):
    """Yes or no, true or false."""


class JsonOutput(Value, frozen=True, tag="json"):
    """A JSON value that satisfies the JSON Schema; an empty schema accepts any."""

    json_schema: dict[str, Any]


OutputKind: TypeAlias = TextOutput | ChoiceOutput | NumberOutput | BooleanOutput | JsonOutput

_BY_NAME: Mapping[str, OutputKind] = {
    "text": TextOutput(),
    "number": NumberOutput(),
    "boolean": BooleanOutput(),
    "json": JsonOutput(json_schema={}),
}


def parse_output(spec: str | Sequence[str] | Mapping[str, Any] | None) -> OutputKind:
    """Read what `publish(output=...)` accepts: a kind's name, a list of choices, or a JSON Schema.

    Raises InvalidInput for anything else.
    """
    if spec is None:
        return TextOutput()
    if isinstance(spec, str):
        if spec not in _BY_NAME:
            raise InvalidInput(
                f"unknown output kind {spec!r}",
                field="/output",
                hint=f"use one of {', '.join(_BY_NAME)}, a list of choices, or a JSON Schema",
            )
        return _BY_NAME[spec]
    if isinstance(spec, Mapping):
        check_json(spec, pointer="/output")
        return JsonOutput(json_schema=dict(spec))
    return ChoiceOutput(choices=_choices(spec))


def stated(kind: OutputKind) -> str | list[str] | dict[str, Any] | None:
    """Return an output kind as `publish` takes it."""
    match kind:
        case TextOutput():
            return None
        case ChoiceOutput():
            return [*kind.choices]
        case JsonOutput():
            return kind.json_schema or "json"
        case NumberOutput():
            return "number"
        case BooleanOutput():
            return "boolean"


def _choices(spec: Sequence[object]) -> tuple[str, ...]:
    choices = tuple(spec)
    check_json(choices, pointer="/output")
    texts = tuple(choice for choice in choices if isinstance(choice, str) and choice.strip() == choice != "")
    if len(texts) != len(choices) or not 2 <= len(texts) <= MAX_CHOICES:
        raise InvalidInput("choices must be 2 to 1,000 texts, none empty or with blanks around it", field="/output")
    if len({text.casefold() for text in texts}) != len(texts):
        raise InvalidInput("two choices differ only in upper and lower case", field="/output")
    return texts
