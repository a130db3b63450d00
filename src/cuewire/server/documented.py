"""What a route says of itself: its action, and its bodies as shapes, whose schemas go into the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi

from cuewire import __version__
from cuewire.wire import dispatch, executions, prompts, sessions
from cuewire.wire.problems import CONTENT_TYPE, REFUSALS, STATUSES, Problem
from cuewire.wire.streams import CONTENT_TYPE as STREAM

ACTION = "x-cuewire-action"
"""What one must be allowed to do in order to use a route."""
_REFERENCE = "#/components/schemas/{name}"
_SHAPES: Sequence[Any] = (
    Problem,
    executions.RunRequest,
    executions.ResultShape,
    executions.ExecutionPage,
    executions.ExecutionDetailShape,
    executions.OutcomeList,
    executions.OutcomeReport,
    dispatch.Dispatched,
    dispatch.ModelsShape,
    dispatch.ConnectionShape,
    dispatch.GeneratedPrompt,
    prompts.PublishRequest,
    prompts.VariablesRequest,
    prompts.VariablesShape,
    prompts.LabelRequest,
    prompts.PromptPage,
    prompts.PromptShape,
    prompts.VersionList,
    prompts.VersionShape,
    sessions.SignInRequest,
    sessions.SessionShape,
)


def documented(
    action: str,
    summary: str,
    *,
    body: Any = None,
    reply: Any = None,
    headers: Sequence[str] = (),
    streams: bool = False,
    media_type: str = "application/json",
    error_type: str = CONTENT_TYPE,
) -> dict[str, Any]:
    """Return the keywords with which a route is added."""
    content: dict[str, Any] = {media_type: {"schema": _schema(reply) if reply else {"type": "string"}}}
    if streams:
        content[STREAM] = {"schema": {"type": "string"}}
    operation: dict[str, Any] = {ACTION: action}
    if body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _schema(body)}}}
    if headers:
        operation["parameters"] = [
            {"name": name, "in": "header", "required": False, "schema": {"type": "string"}} for name in headers
        ]
    return {
        "summary": summary,
        "response_class": Response,
        "responses": {200: {"description": "it worked", "content": content}, **_errors(error_type)},
        "openapi_extra": operation,
    }


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of all routes, the hot ones too."""
    made = get_openapi(
        title="Cuewire",
        version=__version__,
        routes=app.routes,
        description="Versioned prompts, run on any model, with a durable record of each run.",
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    _, components = msgspec.json.schema_components(_SHAPES, ref_template=_REFERENCE)
    schemas |= components
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    made["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"key": []}]
    for operations in made["paths"].values():
        for operation in operations.values():
            if operation.get(ACTION) in ("probe", "sign_in"):
                operation["security"] = []
    return made


def _schema(shape: Any) -> Any:
    (found,), _ = msgspec.json.schema_components([shape], ref_template=_REFERENCE)
    return found


def _errors(media_type: str) -> dict[int | str, dict[str, Any]]:
    """Return the errors that any route may reply: problems, or what another protocol has in their place."""
    content = {media_type: {"schema": _schema(Problem if media_type == CONTENT_TYPE else dict)}}
    statuses = {*STATUSES.values(), *(status for status, _ in REFUSALS.values())}
    return {status: {"description": "see the problem's code", "content": content} for status in sorted(statuses)}
