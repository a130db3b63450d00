"""The result cache over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.engine.cached import CachedAnswers
from cuewire.server.documented import documented
from cuewire.server.replies import as_json, exchange_of
from cuewire.wire.cache import CachePage, CacheStatsShape, ClearedShape
from cuewire.wire.queries import CacheClearQuery, CacheQuery


class CacheRoutes:
    """What is answered of the cache."""

    def __init__(self, app: LocalApp) -> None:
        self._cache = app.cache
        self.router = router = APIRouter(prefix="/api/v1/cache", tags=["cache"])
        router.add_api_route(
            "",
            self.list,
            methods=["GET"],
            **documented("executions:body", "List answers that may be given again, newest first", reply=CachePage),
        )
        router.add_api_route(
            "", self.clear, methods=["DELETE"], **documented("prompts:publish", "Clear answers", reply=ClearedShape)
        )
        router.add_api_route(
            "/stats",
            self.stats,
            methods=["GET"],
            **documented("metrics:read", "Tell what the cache holds, and what it saved", reply=CacheStatsShape),
        )

    async def list(self, request: Request, query: Annotated[CacheQuery, Query()]) -> Response:
        """Return entries, the newest first, also those that have expired."""
        return as_json(CachePage.of(await self._of(request).list(limit=query.limit, after=query.after)))

    async def stats(self, request: Request) -> Response:
        """Return how many entries there are, how often they were given again, and what that saved."""
        return as_json(CacheStatsShape.of(await self._of(request).stats()))

    async def clear(self, request: Request, query: Annotated[CacheClearQuery, Query()]) -> Response:
        """Remove the entries of a prompt, or of one of its versions, or all."""
        return as_json(ClearedShape(removed=await self._of(request).clear(query.prompt, number=query.number)))

    def _of(self, request: Request) -> CachedAnswers:
        return self._cache.by(exchange_of(request).actor)
