"""Limits of model calls over HTTP: how those of this process are."""

from __future__ import annotations

from fastapi import APIRouter, Response

from cuewire.engine.app import LocalApp
from cuewire.server.documented import documented
from cuewire.server.replies import as_json
from cuewire.wire.limits import LimitList


class LimitRoutes:
    """What is answered of limits."""

    def __init__(self, app: LocalApp) -> None:
        self._limits = app.limits
        self.router = router = APIRouter(prefix="/api/v1/limits", tags=["server"])
        router.add_api_route(
            "",
            self.list,
            methods=["GET"],
            **documented("metrics:read", "List what holds model calls up, by provider", reply=LimitList),
        )

    async def list(self) -> Response:
        """Return how the limits of this process are: of each provider that it has called, and all that are set."""
        return as_json(LimitList.of(await self._limits.list()))
