"""Events as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cuewire.model.events import Event
from cuewire.wire.shapes import Instant, Shape, read, shown


class EventShape(Shape, frozen=True):
    """One change, by whom; `action` is a noun and a verb, and `data` depends on it."""

    id: int
    at: Instant
    actor: str
    action: str
    prompt_id: int | None
    data: dict[str, Any]


class EventList(Shape, frozen=True):
    """Events, oldest first; the id of the last one continues the list with `?after=`."""

    items: tuple[EventShape, ...]

    @classmethod
    def of(cls, events: Sequence[Event]) -> EventList:
        """Return the events as JSON."""
        return cls(items=tuple(shown(event, EventShape) for event in events))

    def events(self) -> list[Event]:
        """Return the events that the JSON says."""
        return [read(item, Event) for item in self.items]
