"""API keys: what a program shows to a server. The server keeps a hash of each, never the key."""

from __future__ import annotations

from datetime import datetime

from cuewire.model.tokens import Token
from cuewire.model.values import Value

KEY_KIND = "cw"
MAX_NAME = 100


class ApiKey(Value, frozen=True):
    """A key as stored; a revoked one opens nothing any more."""

    id: str
    name: str
    secret_hash: str
    created_at: datetime
    revoked_at: datetime | None = None


class IssuedKey(Value, frozen=True):
    """A key at the one moment when its text is known."""

    token: Token
    key: ApiKey

    @property
    def text(self) -> str:
        """The key as its owner keeps it."""
        return self.token.text
