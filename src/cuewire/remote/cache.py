"""The result cache of a server."""

from __future__ import annotations

from cuewire.model.cache import CacheEntry, CacheStats
from cuewire.model.pages import Page
from cuewire.remote.server import Server
from cuewire.wire.cache import CachePage, CacheStatsShape, ClearedShape


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
