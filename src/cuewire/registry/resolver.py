"""From a reference to a version, cached: what this process moves is seen at once, what others move within a second."""

from __future__ import annotations

from cuewire.model.prompts import PromptVersion, Reference
from cuewire.ports import Changes, Clock, PromptStore

_RECHECK_S = 0.5
_MAX_CACHED = 10_000


class Resolver:
    """Looks versions up."""

    def __init__(self, store: PromptStore, *, changes: Changes, clock: Clock) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock
        self._cache: dict[Reference, PromptVersion] = {}
        self._checked = clock.monotonic()

    async def resolve(self, reference: Reference) -> PromptVersion:
        """Return the version. Raises PromptNotFound, LabelNotFound, VersionNotFound."""
        now = self._clock.monotonic()
        if now - self._checked > _RECHECK_S:
            self._checked = now
            if await self._changes.changed():
                self.forget()
        found = self._cache.get(reference)
        if found is None:
            cache = self._cache
            found = await self._store.resolve(reference)
            if len(cache) < _MAX_CACHED:
                cache[reference] = found
        return found

    def forget(self) -> None:
        """Drop everything cached, after this process has changed the registry."""
        self._cache = {}
