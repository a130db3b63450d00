"""What a route says of itself: its action, and its bodies as shapes, whose schemas go into the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec
from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from cuewire import __version__
from cuewire.registry.access import LEAST
from cuewire.server.permits import ACTION, ROLE, TO_ANYONE
from cuewire.wire.problems import CONTENT_TYPE, REFUSALS, STATUSES, Problem
from cuewire.wire.shapes import Shape
from cuewire.wire.streams import CONTENT_TYPE as STREAM

_REFERENCE = "#/components/schemas/{name}"
_SHAPES = "x-shapes"
"""Where a route holds the schemas of its bodies until the document is made."""


def documented(
    action: str,
    summary: str,
    *,
    body: Any = None,
    body_type: str = "application/json",
    reply: Any = None,
    headers: Sequence[str] = (),
    streams: bool = False,
    media_type: str = "application/json",
    or_as: Sequence[str] = (),
    error_type: str = CONTENT_TYPE,
    status: int = 200,
) -> dict[str, Any]:
    """Return the keywords with which a route is added; a tuple of shapes is any of them.

    `or_as` are further media types, as which the reply is a text.
    """
    content: dict[str, Any] = {media_type: {"schema": _schema(reply) if reply else {"type": "string"}}}
    for other in [*or_as, *([STREAM] if streams else [])]:
        content[other] = {"schema": {"type": "string"}}
    operation = declared(action) | {_SHAPES: _components(body) | _components(reply)}
    if body:
        operation["requestBody"] = {"required": True, "content": {body_type: {"schema": _schema(body)}}}
    if headers:
        operation["parameters"] = [
            {"name": name, "in": "header", "required": False, "schema": {"type": "string"}} for name in headers
        ]
    return {
        "summary": summary,
        "status_code": status,
        "response_class": Response,
        "responses": {status: {"description": "it worked", "content": content}, **_errors(error_type)},
        "openapi_extra": operation,
    }


def declared(action: str) -> dict[str, Any]:
    """Return what a route says of its action and the role that it takes."""
    return {ACTION: action} | ({ROLE: LEAST[action]} if action in LEAST else {})


def operation_id(route: APIRoute) -> str:
    """Return what generated clients call an operation: what its path names, and what is done with that."""
    nouns = [part for part in route.path.split("/") if part not in ("", "api", "v1") and not part.startswith("{")]
    verb = route.name.removesuffix("_cold")
    return "_".join(nouns if verb in nouns else [*nouns, verb]).replace("-", "_")


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of all routes, the hot ones too."""
    made = get_openapi(
        title="Cuewire",
        version=__version__,
        routes=app.routes,
        description="Versioned prompts, run on any model, with a durable record of each run.",
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    components = {**_components(Problem)}
    for operations in made["paths"].values():
        for operation in operations.values():
            components |= operation.pop(_SHAPES, {})
    schemas |= dict(sorted(components.items()))
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    made["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"key": []}]
    for operations in made["paths"].values():
        for operation in operations.values():
            if operation.get(ACTION) in TO_ANYONE:
                operation["security"] = []
    return made


def _schema(shape: Any) -> Any:
    if isinstance(shape, tuple):
        return {"anyOf": [_schema(each) for each in shape]}
    return _described(shape)[0]


def _components(shape: Any) -> dict[str, Any]:
    if isinstance(shape, tuple):
        return {name: schema for each in shape for name, schema in _components(each).items()}
    return _described(shape)[1] if shape else {}


@cache
def _described(shape: Any) -> tuple[Any, dict[str, Any]]:
    (schema,), components = msgspec.json.schema_components([shape], ref_template=_REFERENCE)
    always_whole = {kind.__name__ for kind in _kinds(Shape) if not kind.__struct_config__.omit_defaults}
    for name in components.keys() & always_whole:
        components[name]["required"] = [*components[name]["properties"]]  # a default is for what an older server says
    return schema, components


def _kinds(kind: type[Shape]) -> Iterator[type[Shape]]:
    for each in kind.__subclasses__():
        yield each
        yield from _kinds(each)


def _errors(media_type: str) -> dict[int | str, dict[str, Any]]:
    """Return the errors that any route may reply: problems, or what another protocol has in their place."""
    content = {media_type: {"schema": _schema(Problem if media_type == CONTENT_TYPE else dict)}}
    statuses = {*STATUSES.values(), *(status for status, _ in REFUSALS.values())}
    return {status: {"description": "see the problem's code", "content": content} for status in sorted(statuses)}
