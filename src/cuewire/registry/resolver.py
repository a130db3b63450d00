"""From a reference to a version, cached: what this process moves is seen at once, what others move within a second."""

from __future__ import annotations

from cuewire.model.prompts import PromptVersion
from cuewire.model.references import Reference
from cuewire.ports import Clock, PromptStore
from cuewire.registry.news import LOOK_S, News

_MAX_CACHED = 10_000


class Resolver:
    """Looks versions up."""

    def __init__(self, store: PromptStore, *, news: News, clock: Clock) -> None:
        self._store = store
        self._news = news
        self._clock = clock
        self._cache: dict[Reference, PromptVersion] = {}
        news.listen(self._drop)

    async def resolve(self, reference: Reference) -> PromptVersion:
        """Return the version. Raises PromptNotFound, LabelNotFound, VersionNotFound."""
        if self._clock.monotonic() - self._news.looked_at > LOOK_S:
            await self._news.look()
        found = self._cache.get(reference)
        if found is None:
            cache = self._cache
            found = await self._store.resolve(reference)
            if len(cache) < _MAX_CACHED:
                cache[reference] = found
        return found

    def forget(self) -> None:
        """Drop everything cached, after this process has changed the registry, and let all others know."""
        self._news.tell()

    def _drop(self) -> None:
        self._cache = {}
