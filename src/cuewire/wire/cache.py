"""The result cache as JSON."""

from __future__ import annotations

from typing import Any

from cuewire.model.cache import CacheEntry, CacheStats
from cuewire.model.pages import Page
from cuewire.wire.shapes import Instant, Shape, read, shown


class CacheEntryShape(Shape, frozen=True):
    """An answer to give again to whoever asks the same, as the execution `source_id` got it."""

    key: str
    version_id: int
    source_id: str
    value: Any
    text: str
    model: str
    finish_reason: str
    cost_usd: float | None
    created_at: Instant
    expires_at: Instant | None


class CachePage(Shape, frozen=True):
    """Entries, the newest first; `next` continues the list with `?after=`."""

    items: tuple[CacheEntryShape, ...]
    next: str | None

    @classmethod
    def of(cls, page: Page[CacheEntry]) -> CachePage:
        """Return the page as JSON."""
        return cls(items=tuple(shown(item, CacheEntryShape) for item in page.items), next=page.next)

    def page(self) -> Page[CacheEntry]:
        """Return the page that the JSON says."""
        return Page(items=tuple(read(item, CacheEntry) for item in self.items), next=self.next)


class CacheStatsShape(Shape, frozen=True):
    """What the cache holds, and what executions got from it; `saved_usd` leaves out what is not known."""

    entries: int
    expired: int
    hits: int
    saved_usd: float

    @classmethod
    def of(cls, stats: CacheStats) -> CacheStatsShape:
        """Return it as JSON."""
        return shown(stats, cls)

    def stats(self) -> CacheStats:
        """Return what the JSON says."""
        return read(self, CacheStats)


class ClearedShape(Shape, frozen=True):
    """How many entries were removed."""

    removed: int
