"""What happened to the registry, as those who may read it see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cuewire.model.actors import Actor
from cuewire.model.errors import InvalidInput
from cuewire.model.events import Event
from cuewire.model.pages import check_limit
from cuewire.ports import EventStore
from cuewire.registry.access import authorize


class History:
    """Implements `EventsFace` over the store, for one actor: who is limited to prompts sees what happened to these."""

    def __init__(self, store: EventStore, *, actor: Actor) -> None:
        self._store = store
        self._actor = actor

    def by(self, actor: Actor) -> History:
        """Return the history as another actor may see it."""
        return History(self._store, actor=actor)

    async def list(self, *, limit: int = 100, after: int = 0) -> Sequence[Event]:
        """Return what happened, oldest first; `after` is the id of the last event seen."""
        authorize(self._actor, "events:read")
        if not 0 <= after < 2**63:
            raise InvalidInput("after must be the id of an event", field="/after")
        return await self._store.list(limit=check_limit(limit), after=after, among=self._actor.prompts)

    async def tell(self, action: str, data: Mapping[str, Any]) -> None:
        """Store what this actor does beside the tables, and was allowed to do. Raises StoreError."""
        await self._store.add(action, data, by=self._actor.name)
