"""API keys: what a program shows to a server. The server keeps a hash of each, never the key."""

from __future__ import annotations

from datetime import datetime

from cuewire.model.actors import Actor, Role, lower
from cuewire.model.tokens import Token
from cuewire.model.users import User
from cuewire.model.values import Value

KEY_KIND = "cw"
MAX_NAME = 100


class ApiKey(Value, frozen=True):
    """A key as stored: what who shows it may do, at most, and until when; None narrows nothing.

    One that belongs to a user may do no more than the user's role allows by then.
    """

    id: str
    name: str
    secret_hash: str
    created_at: datetime
    revoked_at: datetime | None = None
    role: Role = "admin"
    scopes: tuple[str, ...] | None = None
    prompts: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    created_by: str = ""
    user: User | None = None

    def opens(self, at: datetime) -> bool:
        """Tell whether it opens anything at that time: not once it is revoked or over, or its user is disabled."""
        is_over = self.expires_at is not None and self.expires_at <= at
        return self.revoked_at is None and not is_over and (self.user is None or self.user.disabled_at is None)

    @property
    def actor(self) -> Actor:
        """Who shows the key: its user, or the key itself, which a colon tells from users."""
        return Actor(
            name=self.user.name if self.user else f"key:{self.name}",
            role=lower(self.role, self.user.role) if self.user else self.role,
            scopes=None if self.scopes is None else frozenset(self.scopes),
            prompts=self.prompts,
            expires_at=self.expires_at,
        )


class Bearer(Value, frozen=True):
    """Who shows a key, or stands in a session for it: the key, and who that is."""

    key: ApiKey
    actor: Actor


class IssuedKey(Value, frozen=True):
    """A key at the one moment when its text is known."""

    token: Token
    key: ApiKey

    @property
    def text(self) -> str:
        """The key as its owner keeps it."""
        return self.token.text
