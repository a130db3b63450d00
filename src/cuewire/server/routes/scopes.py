"""Strategies and configurations over HTTP: list, add, look up, change, remove. Each is named by its name or id."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.registry.scopes import Scopes
from cuewire.server.documented import documented
from cuewire.server.replies import as_json, exchange_of, plain
from cuewire.wire.scopes import ScopeChange, ScopeList, ScopeRequest, ScopeShape
from cuewire.wire.strict_json import decode


class ScopeRoutes:
    """What is answered of either noun."""

    def __init__(self, app: LocalApp, noun: Literal["strategies", "configurations"]) -> None:
        self._scopes = app.strategies if noun == "strategies" else app.configurations
        one = "strategy" if noun == "strategies" else "configuration"
        self.router = router = APIRouter(prefix=f"/api/v1/{noun}", tags=["scopes"])
        router.add_api_route(
            "", self.list, methods=["GET"], **documented("prompts:read", f"List {noun} by name", reply=ScopeList)
        )
        router.add_api_route(
            "",
            self.add,
            methods=["POST"],
            **documented("scopes:write", f"Add a {one}", body=ScopeRequest, reply=ScopeShape, status=201),
        )
        router.add_api_route(
            "/{name}", self.get, methods=["GET"], **documented("prompts:read", f"Look up a {one}", reply=ScopeShape)
        )
        router.add_api_route(
            "/{name}",
            self.change,
            methods=["PUT"],
            **documented("scopes:write", f"Change a {one}", body=ScopeChange, reply=ScopeShape),
        )
        router.add_api_route(
            "/{name}",
            self.remove,
            methods=["DELETE"],
            **documented("scopes:write", f"Remove a {one} that nothing refers to", reply=ScopeShape),
        )

    async def list(self, request: Request) -> Response:
        """List all by name."""
        return as_json(ScopeList.of(await self._by(request).list()))

    async def add(self, request: Request) -> Response:
        """Make one. There must be none of the name."""
        asked = decode(await exchange_of(request).body(), ScopeRequest)
        return as_json(ScopeShape.of(await self._by(request).add(asked.name, **asked.options())), status=201)

    async def get(self, request: Request, name: str) -> Response:
        """Return one, with the parameters that it has itself, and those that hold."""
        return as_json(ScopeShape.of(await self._by(request).get(plain(name))))

    async def change(self, request: Request, name: str) -> Response:
        """Change what is given; what is absent stays as it is."""
        asked = decode(await exchange_of(request).body(), ScopeChange)
        return as_json(ScopeShape.of(await self._by(request).edit(plain(name), **asked.options())))

    async def remove(self, request: Request, name: str) -> Response:
        """Remove one, and return what it was; what prompts or others refer to stays."""
        scopes = self._by(request)
        scope = await scopes.get(plain(name))
        await scopes.remove(str(scope.id))
        return as_json(ScopeShape.of(scope))

    def _by(self, request: Request) -> Scopes:
        return self._scopes.by(exchange_of(request).actor)
