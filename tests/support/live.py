"""A shelf of prompts in memory with its log of events, where tests see who asks, and may break it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from cuewire.model.actors import any_fits
from cuewire.model.errors import CuewireError
from cuewire.model.events import Event
from cuewire.model.prompts import Prompt, PromptFilter

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def prompt(prompt_id: int, **changes: Any) -> Prompt:
    """Return a prompt."""
    plain = Prompt(
        id=prompt_id,
        name=f"p{prompt_id}",
        strategy=None,
        language="en",
        description="",
        template_type="general",
        category="",
        tags=(),
        status="active",
        labels={"production": 1},
        versions=1,
        revision=1,
        created_at=NOON,
        updated_at=NOON,
    )
    return msgspec.structs.replace(plain, **changes)


@dataclass
class Shelf:
    """Stands for the stores of prompts and of events; each change is an event, a second after the last."""

    prompts: dict[int, Prompt] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    lists: int = 0
    error: CuewireError | None = None
    is_changed: bool = False

    def change(self, prompt_id: int, **changes: Any) -> None:
        """Add a prompt or change one."""
        event_id = len(self.events) + 1
        at = NOON + timedelta(seconds=event_id)
        known = self.prompts.get(prompt_id, prompt(prompt_id))
        self.prompts[prompt_id] = msgspec.structs.replace(known, updated_at=at, **changes)
        self.events.append(Event(id=event_id, at=at, actor="", action="", prompt_id=prompt_id, data={}))

    def shown(self, wanted: PromptFilter, limit: int) -> tuple[Prompt, ...]:
        """Return what a list must show."""
        found = [
            # copies, as each look at a database brings new objects
            msgspec.structs.replace(each)
            for each in self.prompts.values()
            if not each.archived
            and (wanted.category is None or each.category == wanted.category)
            and (wanted.names is None or any_fits(wanted.names, each.name))
        ]
        return tuple(sorted(found, key=lambda each: (each.updated_at, each.id), reverse=True)[:limit])

    async def changed(self) -> bool:
        """Tell whether another process has changed something."""
        before, self.is_changed = self.is_changed, False
        return before


class ShelfPrompts:
    """The store of the prompts of a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def first(self, wanted: PromptFilter, *, limit: int) -> tuple[Prompt, ...]:
        """Return the first of the prompts that are wanted."""
        self._shelf.lists += 1
        if self._shelf.error:
            raise self._shelf.error
        return self._shelf.shown(wanted, limit)


class ShelfEvents:
    """The store of the events of a shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def list(self, *, limit: int, after: int = 0, among: Sequence[str] | None = None) -> Sequence[Event]:
        """Return events after one."""
        found = [
            event
            for event in self._shelf.events[after:]
            if among is None or any_fits(among, self._shelf.prompts[event.prompt_id or 0].name)
        ]
        return found[:limit]

    async def last(self) -> int:
        """Return the newest event."""
        return len(self._shelf.events)
