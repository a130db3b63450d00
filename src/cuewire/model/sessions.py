"""Sessions: what a browser shows to a server in place of an API key, begun by a link that works once."""

from __future__ import annotations

from datetime import datetime, timedelta

from cuewire.model.values import Value

LINK_KIND, SESSION_KIND = "cwl", "cws"
LINK_FOR = timedelta(minutes=15)
"""How long a link may wait to be opened."""
SESSION_FOR = timedelta(days=7)
"""How long a session lasts at most."""
IDLE_FOR = timedelta(hours=12)
"""How long a session lasts that nobody uses."""


class Session(Value, frozen=True):
    """A session as stored, or the link to one: then it was not begun. It may do what its API key may do."""

    id: str
    key_id: str
    secret_hash: str
    created_at: datetime
    seen_at: datetime
    ends_at: datetime
    begun_at: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        """Tell whether a browser may use it at that time."""
        return self.begun_at is not None and at < self.ends_at and at - self.seen_at < IDLE_FOR

    def waits(self, at: datetime) -> bool:
        """Tell whether it is a link that may be opened at that time."""
        return self.begun_at is None and at < self.ends_at
