"""What passes with time: answers grow stale and are renewed by one, expire, and leave the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from cuewire.caches.alone import Alone
from cuewire.engine.cache import MAX_VERSIONS, SWEEP_S, Flight, ResultCache
from cuewire.model.analyses import Report
from cuewire.model.cache import CacheEntry, CacheStats, Question
from cuewire.model.errors import StoreBusy
from cuewire.model.includes import NOTHING, Includes
from cuewire.model.orders import parse_order
from cuewire.model.pages import Page
from cuewire.model.policies import Cache, Policy
from cuewire.model.prompts import PromptVersion
from cuewire.model.requests import ChatMessage
from cuewire.registry.news import News
from cuewire.template.render import TemplateRenderer
from tests.support.questions import MovedClock
from tests.support.stores import NOON, cache_entry
from tests.unit.engine.test_cache_key import plan, version

KEY = "0" * 64


class Kept:
    """A store in memory, which counts how often it is swept. While it is away it fails, held it sweeps nothing."""

    def __init__(self) -> None:
        self.entries: dict[str, CacheEntry] = {}
        self.sweeps: list[int] = []
        self.is_away = False
        self.held = asyncio.Event()
        self.held.set()

    async def find(self, key: str, *, now: datetime) -> CacheEntry | None:
        if self.is_away:
            raise StoreBusy("the store is away")
        found = self.entries.get(key)
        return found if found is not None and found.holds(now) else None

    async def put(self, entry: CacheEntry, *, question: Question | None = None) -> None:
        self.entries[entry.key] = entry

    async def list(self, *, limit: int, after: str | None = None) -> Page[CacheEntry]:
        return Page(tuple(self.entries.values())[:limit], None)

    async def clear(self, *, version_ids: Sequence[int] | None = None) -> int:
        return 0

    async def sweep(self, *, now: datetime, limit: int) -> int:
        await self.held.wait()
        if self.is_away:
            raise StoreBusy("the store is away")
        over = [key for key, entry in self.entries.items() if not entry.holds(now)][:limit]
        for key in over:
            del self.entries[key]
        self.sweeps.append(len(over))
        return len(over)

    async def stats(self, *, now: datetime, among: Sequence[str] | None = None) -> CacheStats:
        return CacheStats(entries=len(self.entries), expired=0, hits=0, saved_usd=0.0)


class Silence:
    """No word of other processes."""

    async def changed(self) -> bool:
        return False


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
async def store() -> Kept:
    return Kept()


@pytest.fixture
def cache(store: Kept, clock: MovedClock) -> ResultCache:
    return ResultCache(
        store, leases=Alone(), renderer=TemplateRenderer(), news=News(Silence(), clock=clock), clock=clock
    )


def keeping(*, ttl_s: float | None = None, stale_s: float | None = None) -> PromptVersion:
    return replace(version(), policy=Policy(cache=Cache(ttl_s=ttl_s, stale_s=stale_s)))


async def settled() -> None:
    """Let what goes on beside the test go on."""
    for _ in range(50):
        await asyncio.sleep(0)


def expired(number: int, *, at: float = 0) -> CacheEntry:
    return cache_entry(f"{number:064}", expires_at=NOON + timedelta(seconds=at))


async def test_what_has_expired_leaves_the_store_once_a_minute_however_much_it_is(
    cache: ResultCache, store: Kept, clock: MovedClock
) -> None:
    store.entries = {entry.key: entry for entry in map(expired, range(2_500))}
    clock.at += SWEEP_S - 0.01
    await cache.put(cache_entry("a" * 64))
    await settled()
    before = [*store.sweeps]

    clock.at += 0.01
    await cache.put(cache_entry("b" * 64))
    await cache.put(cache_entry("c" * 64))
    await settled()

    assert (before, store.sweeps) == ([], [1_000, 1_000, 500])
    assert [key[0] for key in store.entries] == ["a", "b", "c"]
    clock.at += SWEEP_S
    await cache.put(cache_entry("d" * 64))
    await settled()
    assert store.sweeps == [1_000, 1_000, 500, 0]


async def test_a_sweep_that_fails_is_logged_and_done_the_next_time(
    cache: ResultCache, store: Kept, clock: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    store.entries = {KEY: expired(0)}
    store.is_away = True
    clock.at += SWEEP_S
    with caplog.at_level(logging.WARNING):
        await cache.put(cache_entry("a" * 64))
        await settled()
    store.is_away = False

    clock.at += SWEEP_S
    await cache.put(cache_entry("b" * 64))
    await settled()

    assert "cache.not_swept reason=store_busy" in caplog.text
    assert store.sweeps == [1]


async def test_closing_ends_a_sweep(cache: ResultCache, store: Kept, clock: MovedClock) -> None:
    store.held.clear()
    clock.at += SWEEP_S
    await cache.put(cache_entry("a" * 64))
    await settled()

    await asyncio.wait_for(cache.close(), 5)

    assert store.sweeps == []


async def test_an_answer_is_given_while_it_is_stale_and_not_a_moment_longer(
    cache: ResultCache, clock: MovedClock
) -> None:
    own = keeping(ttl_s=10, stale_s=5)
    flight = await cache.find(KEY, own)
    assert isinstance(flight, Flight)
    await cache.put(replace(cache_entry(KEY), expires_at=NOON + timedelta(seconds=15)))
    flight.end()

    clock.at += 14.9
    assert isinstance(await cache.find(KEY, own), CacheEntry)
    clock.at += 0.1
    assert isinstance(await cache.find(KEY, own), Flight)


@pytest.mark.parametrize(
    ("policy", "after_s", "is_renewed"),
    [
        ({"ttl_s": 10, "stale_s": 5}, 9.9, False),
        ({"ttl_s": 10, "stale_s": 5}, 10, True),
        ({"ttl_s": 10}, 10, False),
        ({}, 10**6, False),
    ],
)
async def test_an_answer_is_renewed_where_the_policy_says_so_from_the_moment_on_at_which_it_is_stale(
    cache: ResultCache, clock: MovedClock, policy: dict[str, float], after_s: float, is_renewed: bool
) -> None:
    clock.at += after_s

    assert isinstance(cache.renewal(cache_entry(KEY), keeping(**policy)), Flight) is is_renewed


async def test_one_at_a_time_renews_an_answer(cache: ResultCache, clock: MovedClock) -> None:
    entry, own = cache_entry(KEY), keeping(ttl_s=10, stale_s=5)
    clock.at += 10
    flight = cache.renewal(entry, own)
    assert flight is not None

    assert cache.renewal(entry, own) is None
    assert cache.renewal(cache_entry("a" * 64), own) is not None
    flight.end()
    assert cache.renewal(entry, own) is not None


async def test_nothing_is_renewed_of_a_version_that_keeps_nothing_any_more(
    cache: ResultCache, clock: MovedClock
) -> None:
    clock.at += 10**6

    assert cache.renewal(cache_entry(KEY), version()) is None


async def test_a_store_that_is_away_is_told_and_leaves_nobody_waiting(cache: ResultCache, store: Kept) -> None:
    store.is_away = True
    with pytest.raises(StoreBusy):
        await cache.find(KEY, keeping())
    store.is_away = False

    assert isinstance(await asyncio.wait_for(cache.find(KEY, keeping()), 5), Flight)


class Reader(TemplateRenderer):
    """A renderer that counts what it analyses, and finds nothing."""

    asked = 0

    async def analyse(self, template: str, *, includes: Includes | None = NOTHING) -> Report:
        self.asked += 1
        return Report()


async def test_what_is_known_of_versions_is_bounded(store: Kept, clock: MovedClock) -> None:
    reader = Reader()
    news = News(Silence(), clock=clock)
    cache = ResultCache(store, leases=Alone(), renderer=reader, news=news, clock=clock)

    async def ask(number: int) -> None:
        own = replace(keeping(), content_hash=str(number))
        await cache.key(parse_order("triage", None), own, plan(), (ChatMessage(role="user", content="Bug?"),))

    for number in range(MAX_VERSIONS):
        await ask(number)
    await ask(0)
    before = reader.asked
    await ask(MAX_VERSIONS)
    await ask(0)

    assert (before, reader.asked) == (MAX_VERSIONS, MAX_VERSIONS + 2)
