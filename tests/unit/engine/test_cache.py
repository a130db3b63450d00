"""What memory holds: also what could not be stored, and never more than its share."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import pytest
from msgspec.structs import replace

from cuewire.caches.alone import Alone
from cuewire.clock import SystemClock
from cuewire.engine.cache import MAX_CHARACTERS, Flight, ResultCache
from cuewire.model.cache import CacheEntry, CacheStats, Question
from cuewire.model.errors import StoreFull
from cuewire.model.pages import Page
from cuewire.model.policies import Cache, Policy
from cuewire.model.results import Result
from cuewire.model.usage import Usage
from cuewire.registry.news import News
from cuewire.template.render import TemplateRenderer
from tests.support.stores import cache_entry
from tests.unit.engine.test_cache_key import version

KEPT = replace(version(), policy=Policy(cache=Cache()))


class FullDisk:
    """A store that finds nothing and has no room."""

    async def find(self, key: str, *, now: datetime) -> CacheEntry | None:
        return None

    async def put(self, entry: CacheEntry, *, question: Question | None = None) -> None:
        raise StoreFull("the disk is full")

    async def list(self, *, limit: int, after: str | None = None) -> Page[CacheEntry]:
        return Page((), None)

    async def clear(self, *, version_ids: Sequence[int] | None = None) -> int:
        return 0

    async def sweep(self, *, now: datetime, limit: int) -> int:
        return 0

    async def stats(self, *, now: datetime, among: Sequence[str] | None = None) -> CacheStats:
        return CacheStats(entries=0, expired=0, hits=0, saved_usd=0.0)


class Silence:
    """No word of other processes."""

    async def changed(self) -> bool:
        return False


def cache_of(store: FullDisk) -> ResultCache:
    clock = SystemClock()
    return ResultCache(
        store, leases=Alone(), renderer=TemplateRenderer(), news=News(Silence(), clock=clock), clock=clock
    )


async def test_memory_is_bounded_also_for_answers_without_text() -> None:
    cache = cache_of(FullDisk())
    keys = [f"{number:064}" for number in range(MAX_CHARACTERS // 1_000 + 2)]

    for key in keys:
        with suppress(StoreFull):
            await cache.put(cache_entry(key, text=""))

    assert isinstance(await cache.find(keys[0], KEPT), Flight)
    assert isinstance(await cache.find(keys[-1], KEPT), CacheEntry)


async def test_what_the_store_has_no_room_for_is_kept_in_memory_and_the_run_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cache = cache_of(FullDisk())
    result = Result(
        id="018f0000-0000-7000-8000-000000000000",
        value="fine",
        text="fine",
        prompt="triage",
        version=1,
        model="openai/gpt-4o",
        finish_reason="stop",
        usage=Usage(),
        cost_usd=None,
        cost_basis="",
        duration_ms=1.0,
        first_token_ms=None,
    )
    flight = await cache.find("key", KEPT)
    assert isinstance(flight, Flight)

    with caplog.at_level(logging.WARNING):
        await flight.keep(result)
    found = await cache.find("key", KEPT)

    assert "cache.not_kept execution=018f0000-0000-7000-8000-000000000000 reason=store_full" in caplog.text
    assert isinstance(found, CacheEntry)
    assert (found.text, found.source_id, found.cost_usd) == ("fine", result.id, None)
