"""What the cache holds, as those who may see and clear it do."""

from __future__ import annotations

from cuewire.engine.cache_key import subject_key
from cuewire.model.actors import Actor
from cuewire.model.cache import CacheEntry, CacheMatch, CacheStats, Trust, check_verdict, no_match
from cuewire.model.errors import InvalidInput
from cuewire.model.ids import check_execution_id
from cuewire.model.pages import Page, check_limit
from cuewire.ports import CacheStore, Clock, MatchStore
from cuewire.registry.access import authorize, authorize_all, may
from cuewire.registry.news import News
from cuewire.registry.prompts import Registry


class CachedAnswers:
    """Implements `CacheFace` over the store, for an actor. Who is limited to some prompts clears theirs alone."""

    def __init__(
        self,
        store: CacheStore,
        matches: MatchStore,
        *,
        prompts: Registry,
        news: News,
        clock: Clock,
        actor: Actor,
    ) -> None:
        self._store = store
        self._matches = matches
        self._prompts = prompts
        self._news = news
        self._clock = clock
        self._actor = actor

    def by(self, actor: Actor) -> CachedAnswers:
        """Return the cache as another actor may use it."""
        prompts = self._prompts.by(actor)
        return CachedAnswers(
            self._store, self._matches, prompts=prompts, news=self._news, clock=self._clock, actor=actor
        )

    async def list(self, *, limit: int = 100, after: str | None = None) -> Page[CacheEntry]:
        """Return entries, the newest first, also those that have expired."""
        authorize_all(self._actor, "executions:body")
        return await self._store.list(limit=check_limit(limit), after=after)

    async def stats(self) -> CacheStats:
        """Return what there is of the prompts that the actor sees, and what it was good for."""
        authorize(self._actor, "metrics:read")
        return await self._store.stats(now=self._clock.now(), among=self._actor.prompts)

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

    async def matches(
        self, prompt: str | None = None, *, undecided: bool = False, limit: int = 100, after: str | None = None
    ) -> Page[CacheMatch]:
        """Return answers to similar questions that were not given but got anew."""
        version_ids = None
        if prompt is None:
            authorize_all(self._actor, "executions:body")
        else:
            versions = await self._prompts.versions(prompt)
            authorize(self._actor, "executions:body", versions[0].prompt)
            version_ids = [version.id for version in versions]
        return await self._matches.list(
            limit=check_limit(limit), after=after, version_ids=version_ids, undecided=undecided
        )

    async def decide(self, execution_id: str, verdict: str) -> CacheMatch:
        """Say whether the earlier answer would have been right or wrong."""
        found = await self._matches.get(check_execution_id(execution_id))
        if not self._actor.sees(found.prompt):
            raise no_match(execution_id)
        authorize(self._actor, "prompts:publish", found.prompt)
        by, now = self._actor.name, self._clock.now()
        await self._matches.decide(found.execution_id, check_verdict(verdict), by=by, at=now)
        return self._shown(await self._matches.get(found.execution_id))

    async def trust(self, prompt: str) -> Trust:
        """Return how often answers to similar questions would have been right."""
        version = await self._prompts.get(prompt)
        authorize(self._actor, "metrics:read", version.prompt)
        cache = version.policy.cache
        if cache is None or cache.semantic is None:
            raise InvalidInput(
                f"{version.prompt}@{version.number} compares no questions by what they mean",
                field="/prompt",
                hint="its policy says so in cache.semantic",
            )
        return await self._matches.trust(subject_key(version, cache.semantic))

    def _shown(self, match: CacheMatch) -> CacheMatch:
        """Return a match with what was asked and answered for who may see that."""
        return match if may(self._actor, "executions:body") else match.without_bodies()
