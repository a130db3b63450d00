"""What authors write for an output, what is stored of it, and that what was stored before says the same as ever."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cuewire.model.errors import InvalidInput
from cuewire.model.outputs import (
    BooleanOutput,
    ChoiceOutput,
    DateOutput,
    JsonOutput,
    NumberOutput,
    OutputKind,
    TextOutput,
    parse_output,
    stated,
    stated_schema,
)

EXAMPLE = {"title": "It crashes", "stars?:integer": 4, "tags:[1+]": ["bug"]}
SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "stars": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    },
    "required": ["title", "tags"],
}


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        (None, TextOutput()),
        ("number", NumberOutput()),
        ("boolean", BooleanOutput()),
        ("date", DateOutput()),
        ("json", JsonOutput(json_schema={})),
        (["bug", "idea"], ChoiceOutput(choices=("bug", "idea"))),
        (SCHEMA, JsonOutput(json_schema=SCHEMA)),
        ({"example": EXAMPLE}, JsonOutput(json_schema=SCHEMA, example=EXAMPLE)),
        ({"example": [1]}, JsonOutput(json_schema={"type": "array", "items": {"type": "number"}}, example=[1])),
    ],
)
def test_what_an_author_writes_is_a_kind_and_comes_back(written: Any, kind: OutputKind) -> None:
    assert parse_output(written) == kind
    assert stated(kind) == written
    assert msgspec.json.decode(msgspec.json.encode(kind), type=OutputKind) == kind


def test_an_example_of_tuples_is_one_of_lists() -> None:
    assert parse_output({"example": {"tags": ("a", "b")}}) == parse_output({"example": {"tags": ["a", "b"]}})


@pytest.mark.parametrize("spec", [{"type": "object", "example": EXAMPLE}, {"example": 1, "title": "x"}])
def test_a_schema_that_holds_an_example_is_a_schema(spec: dict[str, Any]) -> None:
    kind = parse_output(spec)

    assert kind == JsonOutput(json_schema=spec)
    assert stated(kind) == spec


@pytest.mark.parametrize("word", ["string", "object", "Date", "", "text "])
def test_each_kind_has_one_name(word: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_output(word)

    assert refused.value.field == "/output"
    assert "text, number, boolean, date, json, a list of choices, an example, or a JSON Schema" in refused.value.hint


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"example": {"age:years": 1}}, "/output/example/age:years"),
        ({"example": "bug"}, "/output/example"),
        ({"example": {"a": float("nan")}}, "/output/example/a"),
        ({"example": {1: 2}}, "/output/example"),
        ({"type": {1}}, "/output/type"),
    ],
)
def test_what_cannot_be_an_output_is_refused_with_its_place(spec: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_output(spec)

    assert refused.value.field == field


def test_a_schema_that_is_not_that_of_its_example_is_stated_in_its_place() -> None:
    for example in ({"title": "x"}, {"title": None}):
        kind = JsonOutput(json_schema=SCHEMA, example=example)

        assert stated(kind) == SCHEMA


@pytest.mark.parametrize("schema", [{}, {"example": {"a": 1}}])
def test_a_schema_that_says_nothing_is_stated_as_json_and_never_as_an_example(schema: dict[str, Any]) -> None:
    assert stated(JsonOutput(json_schema=schema)) == stated_schema(schema) == "json"


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        (TextOutput(), b'{"type":"text"}'),
        (NumberOutput(), b'{"type":"number"}'),
        (BooleanOutput(), b'{"type":"boolean"}'),
        (DateOutput(), b'{"type":"date"}'),
        (JsonOutput(json_schema={}), b'{"type":"json","json_schema":{}}'),
        (ChoiceOutput(choices=("bug", "idea")), b'{"type":"choice","choices":["bug","idea"]}'),
        (JsonOutput(json_schema={"type": "array"}), b'{"type":"json","json_schema":{"type":"array"}}'),
    ],
)
def test_what_is_stored_of_a_kind_does_not_change(kind: OutputKind, stored: bytes) -> None:
    assert msgspec.json.encode(kind) == stored
    assert msgspec.json.decode(stored, type=OutputKind) == kind
