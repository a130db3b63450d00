"""Cache entries: answers that may be given again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cuewire.model.values import Value


class CacheEntry(Value, frozen=True):
    """An answer to give again to whoever asks the same, as the execution `source_id` got it.

    `cost_usd` is what that one cost, which a hit saves; None if it is not known. `expires_at` is None if it never does.
    """

    key: str
    version_id: int
    source_id: str
    value: Any
    text: str
    model: str
    finish_reason: str
    cost_usd: float | None
    created_at: datetime
    expires_at: datetime | None

    def holds(self, now: datetime) -> bool:
        """Tell whether it has not expired."""
        return self.expires_at is None or now < self.expires_at


class CacheStats(Value, frozen=True):
    """What the cache holds, and what executions got from it: `saved_usd` leaves out what is not known."""

    entries: int
    expired: int
    hits: int
    saved_usd: float
