"""Typed Python made of an OpenAPI document: a class for each shape, a method for each operation, as generators do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from keyword import iskeyword
from typing import Any

HEAD = """from __future__ import annotations
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, NotRequired, Protocol, TypedDict
"""
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
JSON = "application/json"

Schema = Mapping[str, Any]


def typed_client(document: Mapping[str, Any]) -> str:
    """Return a module with all shapes of the document and a protocol `Client` of its operations."""
    shapes = [_shape(name, schema) for name, schema in document["components"]["schemas"].items()]
    methods = [line for path, method, said in operations(document) for line in _method(path, method, said)]
    return "\n".join([HEAD, *shapes, "class Client(Protocol):", *methods, ""])


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and what is said of each operation."""
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            yield path, method.upper(), said


def reply_of(said: Mapping[str, Any]) -> tuple[str, Schema]:
    """Return the media type and the schema of what comes back if all went well, JSON first."""
    (reply,) = [found for status, found in said["responses"].items() if status.startswith("2")]
    content: dict[str, Any] = reply["content"]
    media_type = JSON if JSON in content else next(iter(content))
    return media_type, content[media_type]["schema"]


def body_of(said: Mapping[str, Any]) -> Schema | None:
    """Return the schema of the body that an operation takes, None if it takes none."""
    if "requestBody" not in said:
        return None
    (content,) = said["requestBody"]["content"].values()
    schema: Schema = content["schema"]
    return schema


def type_of(schema: Schema) -> str:
    """Return the type as Python writes it; `Any` is what the schema says nothing about."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(type_of(each) for each in schema[several]))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return f"Literal[{', '.join(map(repr, values))}]"
    match schema.get("type"):
        case "array":
            return f"list[{type_of(schema.get('items', {}))}]"
        case "object":
            return f"dict[str, {type_of(_values(schema))}]"
        case "string" if schema.get("format") == "date-time":
            return "datetime"
        case str(plain):
            return _PLAIN[plain]
    return "Any"


def _values(schema: Schema) -> Schema:
    values = schema.get("additionalProperties")
    return values if isinstance(values, Mapping) else {}


def _shape(name: str, schema: Schema) -> str:
    if "properties" not in schema:
        return f"{name} = {type_of(schema)!r}" if schema.get("type") != "object" else f"class {name}(TypedDict): ..."
    required = schema.get("required", [])
    fields = {
        field: type_of(said) if field in required else f"NotRequired[{type_of(said)}]"
        for field, said in schema["properties"].items()
    }
    if any(iskeyword(field) or not field.isidentifier() for field in fields):
        return f"{name} = TypedDict({name!r}, {fields!r})"
    return "\n".join([f"class {name}(TypedDict):", *(f"    {field}: {kind}" for field, kind in fields.items())])


def _method(path: str, method: str, said: Mapping[str, Any]) -> Iterator[str]:
    told = [each for each in said.get("parameters", []) if each["in"] != "header"]
    in_path = [each for each in told if each["in"] == "path"]
    in_query = [each for each in told if each["in"] == "query"]
    places = [f"{each['name']}: {type_of(each['schema'])}" for each in in_path]
    names = {each["name"] for each in in_path}
    options = [
        f"{each['name']}{'_' if each['name'] in names else ''}: {type_of(each['schema'])} = ..." for each in in_query
    ]
    body = body_of(said)
    options = ([f"body: {type_of(body)}"] if body else []) + options
    media_type, reply = reply_of(said)
    kind = f"Iterator[{type_of(reply)}]" if media_type == "text/event-stream" else type_of(reply)
    arguments = ", ".join(["self", *places, *(["*", *options] if options else [])])
    yield f"    def {said['operationId']}({arguments}) -> {kind}:  # {method} {path}"
    yield "        ..."
