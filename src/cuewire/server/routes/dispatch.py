"""`POST /api`: one entry that takes the name of an operation in the body, for programs that know but one address."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from cuewire.model.errors import InvalidInput, NotFound
from cuewire.server.documented import documented
from cuewire.server.replies import REPLIED, as_json, exchange_of
from cuewire.server.routes.executions import ExecutionRoutes
from cuewire.wire.strict_json import decode

ENDPOINTS = ("execute_prompt", "get_execution", "health")


class DispatchRoute:
    """Sends a body on to the route that it names; what comes back is what that route replies."""

    def __init__(self, executions: ExecutionRoutes) -> None:
        self._executions = executions
        self.router = APIRouter(tags=["server"])
        self.router.add_api_route(
            "/api",
            self.dispatch,
            methods=["POST"],
            **documented("run", "Run the operation that the body names", body=dict[str, Any], reply=dict[str, Any]),
        )

    async def dispatch(self, request: Request) -> Response:
        """Take `{"endpoint": "execute_prompt", ...}` where the rest is the body of that operation."""
        exchange = exchange_of(request)
        asked = decode(await exchange.body(), dict[str, Any])
        endpoint = asked.pop("endpoint", None)
        if endpoint == "execute_prompt":
            await self._executions.run_body(exchange, msgspec.json.encode(asked))
            return REPLIED
        if endpoint == "get_execution":
            return await self._executions.get(_text(asked, "id"))
        if endpoint == "health":
            return as_json({"status": "ok"})
        raise NotFound(f"no endpoint is called {str(endpoint)[:80]!r}", field="/endpoint", hint=", ".join(ENDPOINTS))


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if isinstance(value, str):
        return value
    raise InvalidInput(f"{name} must be a text", field=f"/{name}")
