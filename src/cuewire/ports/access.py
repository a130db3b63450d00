"""Who may come: users, the keys of programs, and the sessions of browsers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cuewire.model.actors import Role
from cuewire.model.api_keys import ApiKey
from cuewire.model.sessions import Session
from cuewire.model.users import User


class ApiKeys(Protocol):
    """The keys of the server, as hashes. Each change leaves an event in the same transaction."""

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key of this id with its user, revoked or not, None if there is none."""
        ...

    async def list(self) -> Sequence[ApiKey]:
        """Return all keys, oldest first."""
        ...

    async def add(self, key: ApiKey, *, user: str | None = None) -> ApiKey:
        """Store a new key, which belongs to the user of this name; returns when it is durable.

        Raises UserNotFound, StoreError.
        """
        ...

    async def revoke(self, key_id: str, *, at: datetime, by: str) -> ApiKey:
        """Revoke a key, for good; one that is revoked stays as it is. Raises ApiKeyNotFound."""
        ...


class Users(Protocol):
    """The users of the server. Each change leaves an event in the same transaction."""

    async def list(self) -> Sequence[User]:
        """Return all users by name."""
        ...

    async def add(self, user: User, *, by: str) -> None:
        """Store a new user. Raises UserExists."""
        ...

    async def change(
        self, name: str, *, at: datetime, by: str, role: Role | None = None, disabled: bool | None = None
    ) -> User:
        """Give a user another role, disable or enable them; what is None stays as it is.

        Raises UserNotFound; Conflict rather than leave the users without an admin.
        """
        ...


class Sessions(Protocol):
    """The sessions of browsers, as hashes."""

    async def find(self, session_id: str) -> Session | None:
        """Return the session or link of this id, ended or not, None if there is none."""
        ...

    async def add(self, session: Session) -> None:
        """Store a link, and drop what has ended by then; returns when it is durable. Raises StoreError."""
        ...

    async def begin(self, session: Session, *, link_hash: str) -> bool:
        """Make a link the session of the same id, and return whether this call did so, which one can at most."""
        ...

    async def note(self, session_id: str, *, seen_at: datetime) -> None:
        """Note that a session was used."""
        ...

    async def end(self, session_id: str) -> None:
        """Drop a session; returns when that is durable."""
        ...
