"""What the cache holds, as those who may see and clear it do."""

from __future__ import annotations

from cuewire.model.actors import Actor
from cuewire.model.cache import CacheEntry, CacheStats
from cuewire.model.errors import InvalidInput
from cuewire.model.pages import Page, check_limit
from cuewire.ports import CacheStore, Clock
from cuewire.registry.access import authorize, authorize_all
from cuewire.registry.news import News
from cuewire.registry.prompts import Registry


class CachedAnswers:
    """Implements `CacheFace` over the store, for an actor. Who is limited to some prompts clears theirs alone."""

    def __init__(self, store: CacheStore, *, prompts: Registry, news: News, clock: Clock, actor: Actor) -> None:
        self._store = store
        self._prompts = prompts
        self._news = news
        self._clock = clock
        self._actor = actor

    def by(self, actor: Actor) -> CachedAnswers:
        """Return the cache as another actor may use it."""
        prompts = self._prompts.by(actor)
        return CachedAnswers(self._store, prompts=prompts, news=self._news, clock=self._clock, actor=actor)

    async def list(self, *, limit: int = 100, after: str | None = None) -> Page[CacheEntry]:
        """Return entries, the newest first, also those that have expired."""
        authorize_all(self._actor, "executions:body")
        return await self._store.list(limit=check_limit(limit), after=after)

    async def stats(self) -> CacheStats:
        """Return what there is, and what it was good for."""
        authorize(self._actor, "metrics:read")
        return await self._store.stats(now=self._clock.now())

    async def clear(self, prompt: str | None = None, *, number: int | None = None) -> int:
        """Remove the entries of a prompt, or of one of its versions, or all; return how many there were."""
        version_ids = None
        if prompt is None:
            if number is not None:
                raise InvalidInput("a version is one of a prompt: name it too", field="/prompt")
            authorize_all(self._actor, "prompts:publish")
        else:
            versions = await self._prompts.versions(prompt)
            authorize(self._actor, "prompts:publish", versions[0].prompt)
            version_ids = [version.id for version in versions if number is None or version.number == number]
        removed = await self._store.clear(version_ids=version_ids)
        self._news.tell()
        return removed
