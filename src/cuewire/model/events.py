"""Events: what happened to the registry, for its history and for whoever follows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cuewire.model.values import Value


class Event(Value, frozen=True):
    """One change. `action` is a noun and a verb, as in `label.moved`; `data` depends on it, and holds no secret.

    Ids grow, and an event becomes visible only after all with smaller ids.
    """

    id: int
    at: datetime
    actor: str
    action: str
    prompt_id: int | None
    data: dict[str, Any]
