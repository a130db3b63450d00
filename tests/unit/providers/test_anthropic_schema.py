from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.providers.anthropic_schema import native_schema

TEXT = {"type": "string"}


def closed(**properties: Any) -> dict[str, Any]:
    """Build an object schema with the properties and no others."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


@pytest.mark.parametrize(
    "schema",
    [
        TEXT,
        {"enum": ["a", 1, None]},
        {"const": "a"},
        {"type": ["string", "null"]},
        {"type": "array", "items": TEXT, "minItems": 1},
        {"anyOf": [TEXT, {"type": "null"}]},
        {"type": "string", "format": "date"},
        {"title": "T", "description": "D", "default": "x", "type": "string"},
        closed(a=TEXT, b=closed(c=TEXT)) | {"required": ["a"]},
        closed(a={"$ref": "#/$defs/A"}) | {"$defs": {"A": closed(b={"$ref": "#/$defs/B"}), "B": TEXT}},
        closed(),
    ],
)
def test_what_the_grammar_says_is_sent_as_it_is(schema: dict[str, Any]) -> None:
    assert native_schema(schema) == schema


def test_objects_are_closed() -> None:
    inner = {"properties": {"b": TEXT}}

    assert native_schema({"type": "object", "properties": {"a": inner}}) == closed(
        a={**inner, "additionalProperties": False}
    )


def test_bounds_are_told_in_the_description() -> None:
    schema = {"type": "integer", "description": "Years", "minimum": 0, "maximum": 150, "$comment": "unseen"}

    assert native_schema(schema) == {"type": "integer", "description": 'Years\n\n{"minimum": 0, "maximum": 150}'}
    assert native_schema({"type": "string", "format": "iban", "pattern": "^é"}) == {
        "type": "string",
        "description": '{"format": "iban", "pattern": "^é"}',
    }


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": ["object", "null"]},
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": TEXT}, "additionalProperties": True},
        {"type": "object", "additionalProperties": TEXT},
        {"type": "object", "patternProperties": {"^a": TEXT}},
        {"oneOf": [TEXT]},
        {"not": TEXT},
        {"type": "array", "items": {}},
        {"type": "array", "items": True},
        {"type": "array", "prefixItems": [TEXT]},
        {"anyOf": "x"},
        closed(a={"$ref": "#"}),
        closed(a={"$ref": "https://example.com/a.json"}),
        closed(a={"$ref": "#/$defs/A"}) | {"$defs": {"A": {"type": "array", "items": {"$ref": "#/$defs/A"}}}},
        {"$ref": "#/$defs/A", "$defs": {"A": closed(b={"$ref": "#/$defs/B"}), "B": closed(a={"$ref": "#/$defs/A"})}},
    ],
)
def test_what_the_grammar_cannot_say_has_no_native_form(schema: dict[str, Any]) -> None:
    assert native_schema(schema) is None


def test_schema_that_is_too_deep_has_no_native_form() -> None:
    schema: dict[str, Any] = TEXT
    for _ in range(40):
        schema = {"type": "array", "items": schema}

    assert native_schema(schema) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["type", "properties", "items", "$ref", "$defs", "anyOf", "enum", "required", "minimum"]
                ),
                inner,
                max_size=4,
            )
        ),
    )
)
def test_any_json_has_a_native_form_or_none(schema: Any) -> None:
    made = native_schema(schema if isinstance(schema, dict) else {"properties": schema})

    assert made is None or made
