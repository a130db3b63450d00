"""What the cache was good for, told to who may see some prompts only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from cuewire.model.cache import CacheStats
from cuewire.stores.cache import SqlCacheStore
from tests.support.stores import KINDS, NOON, Stores, cache_entry, closing, draft, opened, opening


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    """Store entries and hits of two prompts: one hit of the first that saved 2 USD, two of the other."""
    async with opened(request.param, tmp_path) as stores:
        cache = SqlCacheStore(stores.database)
        for place, (name, hits) in enumerate([("ours/greet", 1), ("theirs", 2)]):
            version = await stores.prompts.publish(draft(name))
            await cache.put(cache_entry(f"{place:064}", version_id=version.id, expires_at=NOON if place else None))
            for _ in range(hits):
                row = opening(version.id, prompt=name)
                stores.recorder.open(row)
                again = msgspec.structs.replace(closing(row.id), cached_from=row.id, saved_usd=2.0 * (1 + 4 * place))
                await stores.recorder.close(again)
        yield stores


@pytest.mark.parametrize(
    ("among", "stats"),
    [
        (None, CacheStats(entries=2, expired=1, hits=3, saved_usd=22.0)),
        (["ours/*"], CacheStats(entries=1, expired=0, hits=1, saved_usd=2.0)),
        (["theirs"], CacheStats(entries=1, expired=1, hits=2, saved_usd=20.0)),
        (["ours/*", "theirs"], CacheStats(entries=2, expired=1, hits=3, saved_usd=22.0)),
        (["nowhere"], CacheStats(entries=0, expired=0, hits=0, saved_usd=0.0)),
        ([], CacheStats(entries=0, expired=0, hits=0, saved_usd=0.0)),
    ],
)
async def test_figures_are_those_of_the_prompts_that_are_seen(
    stores: Stores, among: list[str] | None, stats: CacheStats
) -> None:
    assert await SqlCacheStore(stores.database).stats(now=NOON, among=among) == stats
