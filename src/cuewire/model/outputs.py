"""Output kinds: what a version promises that the model's answer is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from cuewire.model.errors import InvalidInput
from cuewire.model.examples import schema_of
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


class DateOutput(Value, frozen=True, tag="date"):
    """One ISO 8601 date or date-time, given in its one form; see `model.dates`."""


class JsonOutput(Value, frozen=True, tag="json", omit_defaults=True):
    """A JSON value that satisfies the JSON Schema; an empty schema accepts any.

    `example` is what the author wrote, marks and all, if the schema was made of that; see `model.examples`.
    """

    json_schema: dict[str, Any]
    example: dict[str, Any] | list[Any] | None = None


OutputKind: TypeAlias = TextOutput | ChoiceOutput | NumberOutput | BooleanOutput | DateOutput | JsonOutput

_BY_NAME: Mapping[str, OutputKind] = {
    "text": TextOutput(),
    "number": NumberOutput(),
    "boolean": BooleanOutput(),
    "date": DateOutput(),
    "json": JsonOutput(json_schema={}),
}


def parse_output(spec: str | Sequence[str] | Mapping[str, Any] | None) -> OutputKind:
    """Read what `publish(output=...)` accepts: a kind's name, a list of choices, an example, or a JSON Schema.

    An example stands alone in an object: {"example": {...}}. As a JSON Schema that would say nothing at all. Raises
    InvalidInput for anything else.
    """
    if spec is None:
        return TextOutput()
    if isinstance(spec, str):
        if spec not in _BY_NAME:
            raise InvalidInput(
                f"unknown output kind {spec!r}",
                field="/output",
                hint=f"use one of {', '.join(_BY_NAME)}, a list of choices, an example, or a JSON Schema",
            )
        return _BY_NAME[spec]
    if isinstance(spec, Mapping):
        check_json(spec, pointer="/output")
        if _is_example(spec):
            example = msgspec.json.decode(msgspec.json.encode(spec["example"]))  # its tuples as lists
            return JsonOutput(json_schema=schema_of(example, pointer="/output/example"), example=example)
        return JsonOutput(json_schema=dict(spec))
    return ChoiceOutput(choices=_choices(spec))


def stated(kind: OutputKind) -> str | list[str] | dict[str, Any] | None:
    """Return an output kind as `publish` takes it.

    An example is stated as such while it still means the schema that was made of it, else the schema is.
    """
    match kind:
        case ChoiceOutput():
            return [*kind.choices]
        case JsonOutput(json_schema=schema, example=example):
            return {"example": example} if _means(example, schema) else stated_schema(schema)
        case NumberOutput():
            return "number"
        case BooleanOutput():
            return "boolean"
        case DateOutput():
            return "date"
    return None


def stated_schema(schema: Mapping[str, Any]) -> str | dict[str, Any]:
    """Return a JSON Schema as `publish` takes it: by the name of its kind if it says nothing."""
    return dict(schema) if schema and not _is_example(schema) else "json"


def _means(example: object, schema: Mapping[str, Any]) -> bool:
    """Tell whether publishing the example would make this schema of it again."""
    try:
        return example is not None and schema_of(example, pointer="") == schema
    except InvalidInput:
        return False


def _is_example(spec: Mapping[str, Any]) -> bool:
    return spec.keys() == {"example"}


def _choices(spec: Sequence[object]) -> tuple[str, ...]:
    choices = tuple(spec)
    check_json(choices, pointer="/output")
    texts = tuple(choice for choice in choices if isinstance(choice, str) and choice.strip() == choice != "")
    if len(texts) != len(choices) or not 2 <= len(texts) <= MAX_CHOICES:
        raise InvalidInput("choices must be 2 to 1,000 texts, none empty or with blanks around it", field="/output")
    if len({text.casefold() for text in texts}) != len(texts):
        raise InvalidInput("two choices differ only in upper and lower case", field="/output")
    return texts
