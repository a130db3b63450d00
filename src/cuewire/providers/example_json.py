"""A smallest JSON text that satisfies a JSON Schema, for the usual schemas. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

_MAX_DEPTH = 32


def example_json(schema: Mapping[str, Any], text: str) -> str:
    """Return JSON text for the schema, with `text` where a string without further rules is wanted."""
    return msgspec.json.encode(_example(schema, text, 0)).decode()


def _example(schema: object, text: str, depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > _MAX_DEPTH:
        return None
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    for listed in ("enum", "examples"):
        if schema.get(listed):
            return schema[listed][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return _example(schema[choice][0], text, depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "items" in schema and "array")
    match kind[0] if isinstance(kind, list) and kind else kind:
        case "object":
            properties = schema.get("properties", {})
            wanted = schema.get("required", list(properties))
            return {name: _example(properties.get(name, {"type": "string"}), text, depth + 1) for name in wanted}
        case "array":
            return [_example(schema.get("items", {}), text, depth + 1) for _ in range(schema.get("minItems", 1))]
        case "integer" | "number":
            return schema.get("minimum", schema.get("maximum", 0))
        case "boolean":
            return True
        case "null":
            return None
    return text[: schema.get("maxLength", len(text))].ljust(schema.get("minLength", 0))
