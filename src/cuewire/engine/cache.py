"""Answers that were given before: found in memory or in the store, and asked for once however many ask at a time."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

from cuewire.engine.background import Background
from cuewire.engine.cache_key import cache_key, is_drawn
from cuewire.engine.telling import tell
from cuewire.model.cache import CacheEntry, Question
from cuewire.model.errors import StoreError
from cuewire.model.orders import Order
from cuewire.model.plans import Plan
from cuewire.model.policies import Cache
from cuewire.model.prompts import PromptVersion
from cuewire.model.requests import ChatMessage
from cuewire.model.results import Result
from cuewire.ports import CacheStore, Clock, Leases, Renderer
from cuewire.registry.news import News
from cuewire.registry.texts import templates_of

MAX_CHARACTERS = 32 * 1024 * 1024
"""Characters of answers that memory holds, each answer counted with what holds it."""
SWEEP_S = 60.0
"""How often the store is rid of what has expired."""
MAX_VERSIONS = 10_000
"""Versions of which memory holds whether their templates read the time."""
_SWEPT = 1_000
_AROUND = 1_000


class Flight:
    """One run that asks for an answer while others wait for it."""

    def __init__(self, cache: ResultCache, key: str, policy: Cache, version_id: int) -> None:
        self.landed: asyncio.Future[CacheEntry | None] = asyncio.get_running_loop().create_future()
        self._cache = cache
        self._key = key
        self._policy = policy
        self._version_id = version_id

    async def keep(self, result: Result, *, question: Question | None = None) -> None:
        """Keep the answer of the run, if it is one to give again, for its question too."""
        if result.valid and result.finish_reason == "stop" and not result.tool_calls:
            now = self._cache.clock.now()
            entry = CacheEntry(
                key=self._key,
                version_id=self._version_id,
                source_id=result.id,
                value=result.value,
                text=result.text,
                model=result.model,
                finish_reason=result.finish_reason,
                cost_usd=result.cost_usd,
                created_at=now,
                expires_at=_end(self._policy, now),
            )
            self.land(entry)
            try:
                await self._cache.put(entry, question=question)
            except StoreError as error:  # the run has its answer, and its record is there
                tell(logging.WARNING, "cache.not_kept", execution=result.id, reason=error.code)

    def end(self) -> None:
        """Let those who wait ask for themselves, here and in other processes, unless there is an answer."""
        self.land(None)
        self._cache.ended(self._key)

    def land(self, entry: CacheEntry | None) -> None:
        """Give those who wait what they wait for, None if they have to ask for themselves."""
        if not self.landed.done():
            self.landed.set_result(entry)
            self._cache.landed(self._key)


class ResultCache:
    """Finds and keeps answers. Memory is emptied when word comes that somebody has cleared entries."""

    def __init__(self, store: CacheStore, *, leases: Leases, renderer: Renderer, news: News, clock: Clock) -> None:
        self.clock = clock
        self._store = store
        self._leases = leases
        self._renderer = renderer
        self._entries: OrderedDict[str, CacheEntry] = OrderedDict()
        self._characters = 0
        self._flights: dict[str, Flight] = {}
        self._volatile: dict[str, bool] = {}
        self._background = Background()
        self._swept_at = clock.monotonic()
        news.listen(self._forget)

    async def key(
        self, order: Order, version: PromptVersion, plan: Plan, messages: Sequence[ChatMessage]
    ) -> str | None:
        """Return the key of the answer to an order, None if the version's policy does not let it be kept."""
        cache = version.policy.cache
        if cache is None or (is_drawn(plan) and not cache.sampled):
            return None
        if not cache.volatile and await self._is_volatile(version):
            return None
        return cache_key(
            version, plan, messages, cache=cache, configuration=order.configuration, metadata=order.metadata
        )

    async def find(self, key: str, version: PromptVersion) -> CacheEntry | Flight:
        """Return the answer, if need be when another run has got it; or the flight of the caller's own run."""
        while True:
            entry = self._entries.get(key)
            if entry is not None and entry.holds(self.clock.now()):
                self._entries.move_to_end(key)
                return entry
            if (flight := self._flights.get(key)) is None:
                break
            found = await asyncio.shield(flight.landed)
            if found is not None:
                return found
        flight = self._flight(key, version)
        try:
            stored = await self._stored(key)
        except BaseException:
            flight.end()
            raise
        if stored is None:
            return flight
        self._remember(stored)
        flight.land(stored)
        return stored

    def renewal(self, entry: CacheEntry, version: PromptVersion) -> Flight | None:
        """Return the flight of a run that is to renew an answer which is stale, unless one is under way."""
        policy = version.policy.cache
        if policy is None or policy.stale_s is None or entry.key in self._flights:
            return None
        return self._flight(entry.key, version) if entry.is_stale(policy.ttl_s, self.clock.now()) else None

    async def put(self, entry: CacheEntry, *, question: Question | None = None) -> None:
        """Keep an entry, in memory and for good. Raises StoreError."""
        self._remember(entry)
        await self._store.put(entry, question=question)
        if self.clock.monotonic() - self._swept_at >= SWEEP_S:
            self._swept_at = self.clock.monotonic()
            self._background.start(self._sweep())

    async def close(self) -> None:
        """End what goes on beside the runs."""
        await self._background.close()

    def ended(self, key: str) -> None:
        """Let other processes ask."""
        self._leases.give_back(key)

    def landed(self, key: str) -> None:
        """Forget a flight that is over."""
        self._flights.pop(key, None)

    def _flight(self, key: str, version: PromptVersion) -> Flight:
        assert version.policy.cache is not None, "the policy lets answers be kept"
        flight = self._flights[key] = Flight(self, key, version.policy.cache, version.id)
        return flight

    async def _stored(self, key: str) -> CacheEntry | None:
        """Return the answer from the store, also one that another process gets just now; None if it is ours to get."""
        while (stored := await self._store.find(key, now=self.clock.now())) is None:
            if await self._leases.take(key):
                return None
            await self._leases.wait(key)
        return stored

    async def _sweep(self) -> None:
        """Remove what has expired from the store, a little at a time."""
        try:
            while await self._store.sweep(now=self.clock.now(), limit=_SWEPT) == _SWEPT:
                pass
        except StoreError as error:
            tell(logging.WARNING, "cache.not_swept", reason=error.code)

    def _remember(self, entry: CacheEntry) -> None:
        known = self._entries.pop(entry.key, None)
        self._characters += _size(entry) - (_size(known) if known else 0)
        self._entries[entry.key] = entry
        while self._characters > MAX_CHARACTERS:
            _, oldest = self._entries.popitem(last=False)
            self._characters -= _size(oldest)

    def _forget(self) -> None:
        self._entries.clear()
        self._characters = 0

    async def _is_volatile(self, version: PromptVersion) -> bool:
        """Tell whether a template of the version reads the time."""
        known = self._volatile.get(version.content_hash)
        if known is None:
            reports = [
                await self._renderer.analyse(text, includes=version.includes) for text in templates_of(version.messages)
            ]
            known = any(warning.code == "volatile" for report in reports for warning in report.warnings)
            if len(self._volatile) >= MAX_VERSIONS:
                self._volatile.clear()
            self._volatile[version.content_hash] = known
        return known


def _end(policy: Cache, now: datetime) -> datetime | None:
    """Return until when an answer may be given: also while it is stale."""
    return None if policy.ttl_s is None else now + timedelta(seconds=policy.ttl_s + (policy.stale_s or 0))


def _size(entry: CacheEntry) -> int:
    return len(entry.text) + _AROUND
