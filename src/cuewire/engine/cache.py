"""Answers that were given before: found in memory or in the store, and asked for once however many ask at a time."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta

from cuewire.engine.cache_key import cache_key, is_drawn
from cuewire.model.cache import CacheEntry
from cuewire.model.errors import StoreError
from cuewire.model.orders import Order
from cuewire.model.plans import Plan
from cuewire.model.prompts import PromptVersion
from cuewire.model.requests import ChatMessage
from cuewire.model.results import Result
from cuewire.ports import CacheStore, Clock, Renderer
from cuewire.registry.news import News
from cuewire.registry.texts import templates_of

logger = logging.getLogger("cuewire.engine")

MAX_CHARACTERS = 32 * 1024 * 1024
"""Characters of answers that memory holds, each answer counted with what holds it."""
_AROUND = 1_000
_MAX_VERSIONS = 10_000


class Flight:
    """One run that asks for an answer while others wait for it."""

    def __init__(self, cache: ResultCache, key: str, ttl_s: float | None, version_id: int) -> None:
        self.landed: asyncio.Future[CacheEntry | None] = asyncio.get_running_loop().create_future()
        self._cache = cache
        self._key = key
        self._ttl_s = ttl_s
        self._version_id = version_id

    async def keep(self, result: Result) -> None:
        """Keep the answer of the run, if it is one to give again."""
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
                expires_at=None if self._ttl_s is None else now + timedelta(seconds=self._ttl_s),
            )
            self.land(entry)
            try:
                await self._cache.put(entry)
            except StoreError as error:  # the run has its answer, and its record is there
                logger.warning("cache.not_kept execution=%s reason=%s", result.id, error.code)

    def end(self) -> None:
        """Let those who wait ask for themselves, unless there is an answer."""
        self.land(None)

    def land(self, entry: CacheEntry | None) -> None:
        """Give those who wait what they wait for, None if they have to ask for themselves."""
        if not self.landed.done():
            self.landed.set_result(entry)
            self._cache.landed(self._key)


class ResultCache:
    """Finds and keeps answers. Memory is emptied when word comes that somebody has cleared entries."""

    def __init__(self, store: CacheStore, *, renderer: Renderer, news: News, clock: Clock) -> None:
        self.clock = clock
        self._store = store
        self._renderer = renderer
        self._entries: OrderedDict[str, CacheEntry] = OrderedDict()
        self._characters = 0
        self._flights: dict[str, Flight] = {}
        self._volatile: dict[str, bool] = {}
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
        cache = version.policy.cache
        flight = self._flights[key] = Flight(self, key, cache.ttl_s if cache else None, version.id)
        try:
            stored = await self._store.find(key, now=self.clock.now())
        except BaseException:
            flight.end()
            raise
        if stored is None:
            return flight
        self._remember(stored)
        flight.land(stored)
        return stored

    async def put(self, entry: CacheEntry) -> None:
        """Keep an entry, in memory and for good. Raises StoreError."""
        self._remember(entry)
        await self._store.put(entry)

    def landed(self, key: str) -> None:
        """Forget a flight that is over."""
        self._flights.pop(key, None)

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
            if len(self._volatile) >= _MAX_VERSIONS:
                self._volatile.clear()
            self._volatile[version.content_hash] = known
        return known


def _size(entry: CacheEntry) -> int:
    return len(entry.text) + _AROUND
