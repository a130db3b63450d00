"""Answers to give again, on every database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from cuewire.model.cache import CacheEntry, CacheStats
from cuewire.model.errors import InvalidInput
from cuewire.ports import CacheStore
from cuewire.stores.cache import SqlCacheStore
from tests.support.stores import KINDS, NOON, Stores, cache_entry, draft, opened

SECOND = timedelta(seconds=1)


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        await stores.prompts.publish(draft("greet", text="one"))
        await stores.prompts.publish(draft("greet", text="two"))
        yield stores


@pytest.fixture
def cache(stores: Stores) -> CacheStore:
    return SqlCacheStore(stores.database)


async def test_an_entry_comes_back_as_it_was_and_the_newest_of_a_key_is_there(cache: CacheStore) -> None:
    first, second = cache_entry(), cache_entry(text="other", value="other", cost_usd=None)

    await cache.put(first)
    found = await cache.find(first.key, now=NOON)
    await cache.put(second)

    assert found == first
    assert await cache.find(first.key, now=NOON) == second
    assert await cache.find("f" * 64, now=NOON) is None


@pytest.mark.contract("S4-23")
async def test_an_entry_is_not_there_from_the_moment_on_at_which_it_expires(cache: CacheStore) -> None:
    await cache.put(cache_entry(expires_at=NOON))

    assert await cache.find("0" * 64, now=NOON - SECOND) is not None
    assert await cache.find("0" * 64, now=NOON) is None
    assert await cache.stats(now=NOON) == CacheStats(entries=1, expired=1, hits=0, saved_usd=0.0)


async def test_entries_are_listed_newest_first_page_by_page(cache: CacheStore) -> None:
    entries = [cache_entry(f"{number:064}", created_at=NOON + (number // 2) * SECOND) for number in range(5)]
    for entry in entries:
        await cache.put(entry)

    found: list[CacheEntry] = []
    after = None
    while True:
        page = await cache.list(limit=2, after=after)
        found += page.items
        if (after := page.next) is None:
            break

    assert found == entries[::-1]
    with pytest.raises(InvalidInput):
        await cache.list(limit=2, after="bm90aGluZw")


async def test_what_is_cleared_is_counted_and_gone(cache: CacheStore) -> None:
    entries = [
        cache_entry("a" * 64, version_id=1),
        cache_entry("b" * 64, version_id=2),
        cache_entry("c" * 64, version_id=2, expires_at=NOON),
        cache_entry("d" * 64, version_id=2, expires_at=NOON + SECOND),
    ]
    for entry in entries:
        await cache.put(entry)

    assert await cache.clear(version_ids=[1]) == 1
    assert await cache.sweep(now=NOON, limit=9) == 1
    assert {entry.key[0] for entry in (await cache.list(limit=9)).items} == {"b", "d"}
    assert await cache.clear() == 2
    assert (await cache.stats(now=NOON)).entries == 0


async def test_so_many_that_have_expired_are_swept_the_oldest_first_and_no_others(cache: CacheStore) -> None:
    ends = [3, 1, None, 5, 2, 4]
    entries = [
        cache_entry(f"{place:064}", expires_at=None if end is None else NOON + end * SECOND)
        for place, end in enumerate(ends)
    ]
    for entry in entries:
        await cache.put(entry)

    async def left() -> list[int | None]:
        return [ends[int(entry.key)] for entry in (await cache.list(limit=9)).items][::-1]

    now = NOON + 4 * SECOND
    assert (await cache.sweep(now=now, limit=2), await left()) == (2, [3, None, 5, 4])
    assert (await cache.sweep(now=now, limit=0), await left()) == (0, [3, None, 5, 4])
    assert (await cache.sweep(now=now, limit=9), await left()) == (2, [None, 5])
    assert (await cache.sweep(now=now, limit=9), await left()) == (0, [None, 5])
    assert await cache.find(entries[3].key, now=now) == entries[3]
