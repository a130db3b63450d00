"""The result cache over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.engine.cached import CachedAnswers
from cuewire.server.documented import documented
from cuewire.server.replies import as_json, exchange_of
from cuewire.wire.cache import (
    CacheMatchPage,
    CacheMatchShape,
    CachePage,
    CacheStatsShape,
    ClearedShape,
    TrustShape,
    VerdictRequest,
)
from cuewire.wire.queries import CacheClearQuery, CacheMatchQuery, CacheQuery, TrustQuery
from cuewire.wire.strict_json import decode


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

        router.add_api_route(
            "/matches",
            self.matches,
            methods=["GET"],
            **documented(
                "executions:body", "List answers to similar questions that were not given", reply=CacheMatchPage
            ),
        )
        router.add_api_route(
            "/matches/{execution_id}",
            self.decide,
            methods=["PUT"],
            **documented(
                "prompts:publish",
                "Say whether the answer to a similar question would have been right",
                body=VerdictRequest,
                reply=CacheMatchShape,
            ),
        )
        router.add_api_route(
            "/trust",
            self.trust,
            methods=["GET"],
            **documented("metrics:read", "Tell how right answers to similar questions would be", reply=TrustShape),
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

    async def matches(self, request: Request, query: Annotated[CacheMatchQuery, Query()]) -> Response:
        """Return answers to similar questions that were got anew instead, with both answers, the oldest first."""
        page = await self._of(request).matches(
            query.prompt, undecided=query.undecided, limit=query.limit, after=query.after
        )
        return as_json(CacheMatchPage.of(page))

    async def decide(self, request: Request, execution_id: str) -> Response:
        """Store whether the earlier answer would have done, in place of what was said before."""
        wanted = decode(await request.body(), VerdictRequest)
        return as_json(CacheMatchShape.of(await self._of(request).decide(execution_id, wanted.verdict)))

    async def trust(self, request: Request, query: Annotated[TrustQuery, Query()]) -> Response:
        """Return how many such answers were right and wrong, and what follows from that."""
        return as_json(TrustShape.of(await self._of(request).trust(query.prompt)))

    def _of(self, request: Request) -> CachedAnswers:
        return self._cache.by(exchange_of(request).actor)
