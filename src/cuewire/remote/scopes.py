"""Strategies and configurations on a server."""

from __future__ import annotations

import builtins
from typing import Literal, Unpack

from cuewire.model.references import check_name
from cuewire.model.scopes import Scope, ScopeOptions
from cuewire.remote.server import Server, path_of
from cuewire.wire.scopes import ScopeChange, ScopeList, ScopeRequest, ScopeShape


class RemoteScopes:
    """Implements `ScopesFace` on a server, for either noun."""

    def __init__(self, server: Server, noun: Literal["strategies", "configurations"]) -> None:
        self._server = server
        self._noun = noun
        self._field = "/strategy" if noun == "strategies" else "/configuration"

    async def list(self) -> builtins.list[Scope]:
        """Return all by name."""
        return (await self._server.get(path_of(self._noun), ScopeList)).scopes()

    async def get(self, name: str) -> Scope:
        """Return one."""
        return (await self._server.get(self._path(name), ScopeShape)).scope()

    async def add(self, name: str, **options: Unpack[ScopeOptions]) -> Scope:
        """Make one."""
        request = self._server.request("POST", path_of(self._noun), body=ScopeRequest.of(options, name=name))
        return (await self._server.fetch_once(request, ScopeShape)).scope()

    async def edit(self, name: str, **options: Unpack[ScopeOptions]) -> Scope:
        """Change what is given."""
        return (await self._server.send("PUT", self._path(name), ScopeChange.of(options), ScopeShape)).scope()

    async def remove(self, name: str) -> None:
        """Remove one that nothing refers to."""
        await self._server.fetch_once(self._server.request("DELETE", self._path(name)), ScopeShape)

    def _path(self, name: str) -> str:
        return path_of(self._noun, check_name(name, field=self._field))
