"""The result cache of a server."""

from __future__ import annotations

from cuewire.model.cache import CacheEntry, CacheMatch, CacheStats, Trust, check_verdict
from cuewire.model.ids import check_execution_id
from cuewire.model.pages import Page
from cuewire.remote.server import Server
from cuewire.wire.cache import (
    CacheMatchPage,
    CacheMatchShape,
    CachePage,
    CacheStatsShape,
    ClearedShape,
    TrustShape,
    VerdictRequest,
)


class RemoteCache:
    """Implements `CacheFace` on a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def list(self, *, limit: int = 100, after: str | None = None) -> Page[CacheEntry]:
        """Return entries, the newest first, also those that have expired."""
        return (await self._server.get("/cache", CachePage, query={"limit": limit, "after": after})).page()

    async def stats(self) -> CacheStats:
        """Return what there is, and what it was good for."""
        return (await self._server.get("/cache/stats", CacheStatsShape)).stats()

    async def clear(self, prompt: str | None = None, *, number: int | None = None) -> int:
        """Remove the entries of a prompt, or of one of its versions, or all; return how many there were."""
        request = self._server.request("DELETE", "/cache", query={"prompt": prompt, "number": number})
        return (await self._server.fetch_once(request, ClearedShape)).removed

    async def matches(
        self, prompt: str | None = None, *, undecided: bool = False, limit: int = 100, after: str | None = None
    ) -> Page[CacheMatch]:
        """Return answers to similar questions that were not given but got anew."""
        query = {"prompt": prompt, "undecided": undecided or None, "limit": limit, "after": after}
        return (await self._server.get("/cache/matches", CacheMatchPage, query=query)).page()

    async def decide(self, execution_id: str, verdict: str) -> CacheMatch:
        """Say whether the earlier answer would have been right or wrong."""
        path = f"/cache/matches/{check_execution_id(execution_id)}"
        body = VerdictRequest(verdict=check_verdict(verdict))
        return (await self._server.fetch(self._server.request("PUT", path, body=body), CacheMatchShape)).match()

    async def trust(self, prompt: str) -> Trust:
        """Return how often answers to similar questions would have been right."""
        return (await self._server.get("/cache/trust", TrustShape, query={"prompt": prompt})).trust()
