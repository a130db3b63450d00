"""What is asked of an input, as a JSON Schema: of what two templates ask, what meets both; and how it is stored.

Apart from how templates are read, which takes Jinja2.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec.structs import replace

from cuewire.model.prompts import Variable

Schema: TypeAlias = dict[str, Any]

KINDS = ("array", "object", "string", "number", "boolean", "null")
ANY: Schema = {}
"""Anything that is defined, even a method."""


def of(*kinds: str) -> Schema:
    """Return the schema of some kinds of value."""
    return {"type": [*kinds]}


def both(one: Variable, other: Variable) -> Variable:
    """Return what is known of an input that two templates read, of each of which the variable was found here."""
    schema = finished(merged(one.json_schema, other.json_schema))
    return replace(one, json_schema=schema, required=one.required or other.required)


def merged(left: Schema, right: Schema) -> Schema:
    """Return the schema of what meets both."""
    both = {**left, **right}
    if "type" in left and "type" in right:
        both["type"] = [kind for kind in kinds(left) if kind in kinds(right)]
    if "required" in left and "required" in right:
        both["required"] = sorted({*left["required"], *right["required"]})
    if "properties" in left and "properties" in right:
        ours, theirs = left["properties"], right["properties"]
        both["properties"] = {
            name: merged(ours.get(name, ANY), theirs.get(name, ANY)) for name in sorted({*ours, *theirs})
        }
    if "items" in left and "items" in right:
        both["items"] = merged(left["items"], right["items"])
    return both


def kinds(schema: Schema) -> list[str]:
    """Return the kinds of value that a schema takes."""
    taken = schema.get("type", KINDS)
    return [taken] if isinstance(taken, str) else [*taken]


def finished(schema: Schema) -> Schema:
    """Return the schema as it is stored; empty if nothing can meet it, because then the render tells why."""
    return {} if not schema or _is_impossible(schema) else _written(schema)


def _is_impossible(schema: Schema) -> bool:
    parts: Schema = schema.get("properties", {})
    return not kinds(schema) or any(_is_impossible(part) for part in parts.values())


def _written(schema: Schema) -> Schema:
    taken = [kind for kind in KINDS if kind in kinds(schema)]
    written: Schema = {}
    if len(taken) < len(KINDS):
        written["type"] = taken[0] if len(taken) == 1 else taken
    if "object" in taken and "required" in schema:
        written["required"] = schema["required"]
        parts = {name: part for name, each in schema.get("properties", {}).items() if (part := _written(each))}
        if parts:
            written["properties"] = parts
    if "array" in taken and (items := finished(schema.get("items") or ANY)):
        written["items"] = items
    for kind, limit in (("string", "maxLength"), ("object", "maxProperties")):
        if kind in taken and limit in schema:
            written[limit] = schema[limit]
    return written
