"""API keys and users as JSON. The text of a key is in one reply only: the one to who made it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cuewire.model.actors import Role
from cuewire.model.api_keys import ApiKey, IssuedKey
from cuewire.model.users import User
from cuewire.wire.shapes import Instant, Request, Shape, shown


class KeyRequest(Request, frozen=True):
    """`POST /api/v1/keys`: what the key may do at most. What is left out is as the key that makes it.

    `scopes` are actions, or `prompts:*`; `prompts` are names, or beginnings of names with a star, as in `team/*`.
    """

    name: str
    role: Role | None = None
    scopes: tuple[str, ...] | None = None
    prompts: tuple[str, ...] | None = None
    expires_at: Instant | None = None
    user: str | None = None


class KeyShape(Shape, frozen=True):
    """A key without its secret; null narrows nothing. `user` is the one whose role it may not exceed."""

    id: str
    name: str
    user: str | None
    role: Role
    scopes: tuple[str, ...] | None
    prompts: tuple[str, ...] | None
    created_at: Instant
    created_by: str
    expires_at: Instant | None
    revoked_at: Instant | None

    @classmethod
    def of(cls, key: ApiKey) -> KeyShape:
        """Return the key as JSON."""
        return msgspec.convert(_told(key), cls)


class IssuedKeyShape(KeyShape, frozen=True):
    """A key that was just made; `key` is its text, shown this once."""

    key: str

    @classmethod
    def of_issued(cls, issued: IssuedKey) -> IssuedKeyShape:
        """Return the key as JSON, with its text."""
        return msgspec.convert({"key": issued.text, **_told(issued.key)}, cls)


class KeyList(Shape, frozen=True):
    """Keys, oldest first."""

    items: tuple[KeyShape, ...]

    @classmethod
    def of(cls, keys: Iterable[ApiKey]) -> KeyList:
        """Return the keys as JSON."""
        return cls(items=tuple(map(KeyShape.of, keys)))


class UserRequest(Request, frozen=True):
    """`POST /api/v1/users`."""

    name: str
    role: Role = "viewer"


class UserChange(Request, frozen=True):
    """`PATCH /api/v1/users/{name}`: what is left out stays as it is."""

    role: Role | None = None
    disabled: bool | None = None


class UserShape(Shape, frozen=True):
    """A user; the keys of one who is disabled open nothing."""

    name: str
    role: Role
    created_at: Instant
    disabled_at: Instant | None

    @classmethod
    def of(cls, user: User) -> UserShape:
        """Return the user as JSON."""
        return shown(user, cls)


class UserList(Shape, frozen=True):
    """Users, by name."""

    items: tuple[UserShape, ...]

    @classmethod
    def of(cls, users: Iterable[User]) -> UserList:
        """Return the users as JSON."""
        return cls(items=tuple(map(UserShape.of, users)))


def _told(key: ApiKey) -> dict[str, object]:
    told = msgspec.structs.asdict(key)
    del told["secret_hash"]
    return told | {"user": key.user.name if key.user else None}
