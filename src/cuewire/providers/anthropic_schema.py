"""Which JSON Schemas Anthropic's structured outputs can hold an answer to, and in which form. Pure.

Source: Anthropic's page on structured outputs (November 2026). The model is bound to a grammar, which knows types,
properties, items, enumerations, choices and references, and nothing of sizes and bounds. As their own clients do, these
are put into the description for the model to read; the answer is checked against the whole schema afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_KEPT = frozenset({"type", "enum", "const", "title", "description", "default", "$ref", "required"})
_TOLD = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern", "format"),
        *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
        "examples",
    }
)
_IGNORED = frozenset({"$schema", "$id", "$comment"})
_FORMATS = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
_MAX_DEPTH = 32


class _NotNative(Exception):
    """The grammar cannot say what the schema says."""


def native_schema(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the schema in the form that the API takes, None if the API cannot hold an answer to it.

    An object gets no properties beyond those named, as the API demands; one that allows others has no native form, nor
    has a schema that refers to itself.
    """
    try:
        if not schema or _recurs(schema):
            return None
        return _converted(schema, 0)
    except _NotNative:
        return None


def _converted(schema: object, depth: int) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or not schema or depth > _MAX_DEPTH:
        raise _NotNative
    made: dict[str, Any] = {}
    told: dict[str, Any] = {}
    for word, value in schema.items():
        match word:
            case "properties" | "$defs" | "definitions" if isinstance(value, Mapping):
                made[word] = {name: _converted(each, depth + 1) for name, each in value.items()}
            case "items":
                made[word] = _converted(value, depth + 1)
            case "anyOf" | "allOf" if isinstance(value, list):
                made[word] = [_converted(each, depth + 1) for each in value]
            case "format" if value in _FORMATS:
                made[word] = value
            case "minItems" if value in (0, 1):
                made[word] = value
            case "additionalProperties" if value is False:
                made[word] = value
            case _ if word in _KEPT:
                made[word] = value
            case _ if word in _TOLD:
                told[word] = value
            case _ if word not in _IGNORED:
                raise _NotNative
    if "object" in _types(schema):
        if not made.get("properties") and "additionalProperties" not in made:
            raise _NotNative
        made["additionalProperties"] = False
    if told:
        rules = json.dumps(told, ensure_ascii=False)
        made["description"] = f"{made['description']}\n\n{rules}" if made.get("description") else rules
    return made


def _types(schema: Mapping[str, Any]) -> list[Any]:
    kind = schema.get("type", "object" if "properties" in schema else None)
    return kind if isinstance(kind, list) else [kind]


def _recurs(schema: Mapping[str, Any]) -> bool:
    """Tell whether a definition leads back to itself, or a reference to anything but a definition of this schema."""
    places = {
        f"#/{group}/{name}": _references(each)
        for group in ("$defs", "definitions")
        if isinstance(schema.get(group), Mapping)
        for name, each in schema[group].items()
    }
    open_places = {place for place in _references(schema) if place not in places}
    while places:
        ends = {place for place, leads in places.items() if leads.isdisjoint(places)}
        if not ends:
            return True
        places = {place: leads for place, leads in places.items() if place not in ends}
    return bool(open_places)


def _references(schema: object) -> set[str]:
    if isinstance(schema, Mapping):
        found = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
        return found.union(*map(_references, schema.values()))
    return set().union(*map(_references, schema)) if isinstance(schema, list) else set()
