"""API keys as rows: a hash of each secret, never the secret."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, select, update

from cuewire.model.api_keys import ApiKey
from cuewire.model.errors import ApiKeyNotFound
from cuewire.model.users import User
from cuewire.stores.database import Database, insert_into
from cuewire.stores.events import add_event
from cuewire.stores.schema import PROJECT, api_keys, users
from cuewire.stores.users import user_id

_list = msgspec.json.Decoder(tuple[str, ...])


class SqlApiKeys:
    """Implements `ApiKeys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key_id: str) -> ApiKey | None:
        """Return the key of this id, revoked or not, None if there is none."""
        query = find_query(key_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return _key(row) if row else None

    async def list(self) -> Sequence[ApiKey]:
        """Return all keys, oldest first."""
        query = list_query()
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return sorted(map(_key, rows), key=lambda key: key.created_at)

    async def add(self, key: ApiKey, *, user: str | None = None) -> ApiKey:
        """Store a new key, which belongs to the user of this name."""
        return await self._database.write(lambda connection: _add(connection, key, user))

    async def revoke(self, key_id: str, *, at: datetime, by: str) -> ApiKey:
        """Revoke a key, for good; one that is revoked stays as it is."""
        return await self._database.write(lambda connection: _revoke(connection, key_id, at, by))


def find_query(key_id: str) -> Select[tuple[object, ...]]:
    """Return the query of one key."""
    return list_query().where(api_keys.c.id == key_id)


def list_query() -> Select[tuple[object, ...]]:
    """Return the query of all keys, each with its user."""
    return (
        select(
            api_keys,
            users.c.name.label("user_name"),
            users.c.role.label("user_role"),
            users.c.created_at.label("user_created_at"),
            users.c.disabled_at.label("user_disabled_at"),
        )
        .outerjoin(users, users.c.id == api_keys.c.user_id)
        .where(api_keys.c.project_id == PROJECT)
    )


def _add(connection: Connection, key: ApiKey, user: str | None) -> ApiKey:
    columns = ("id", "name", "secret_hash", "created_at", "revoked_at", "role", "expires_at", "created_by")
    row: dict[str, object] = {name: getattr(key, name) for name in columns}
    row |= {"project_id": PROJECT, "scopes": _json(key.scopes), "prompts": _json(key.prompts)}
    if user is not None:
        row["user_id"] = user_id(connection, user)
    connection.execute(insert_into(connection, api_keys).values(row))
    told: dict[str, object] = {"key": key.id, "user": user}
    told |= {name: getattr(key, name) for name in ("name", "role", "scopes", "prompts", "expires_at")}
    add_event(connection, at=key.created_at, actor=key.created_by, action="key.made", data=told)
    return _found(connection, key.id)


def _revoke(connection: Connection, key_id: str, at: datetime, by: str) -> ApiKey:
    is_it = (api_keys.c.project_id == PROJECT) & (api_keys.c.id == key_id)
    statement = update(api_keys).where(is_it, api_keys.c.revoked_at.is_(None)).values(revoked_at=at)
    is_new = connection.execute(statement).rowcount == 1
    key = _found(connection, key_id)
    if is_new:
        add_event(connection, at=at, actor=by, action="key.revoked", data={"key": key.id, "name": key.name})
    return key


def _found(connection: Connection, key_id: str) -> ApiKey:
    row = connection.execute(find_query(key_id)).first()
    if row is None:
        raise ApiKeyNotFound(f"no API key has the id {key_id[:40]!r}", field="/id", hint="see: cuewire keys list")
    return _key(row)


def _key(row: Row[Any]) -> ApiKey:
    user = None
    if row.user_name is not None:
        user = User(
            name=row.user_name,
            role=row.user_role,
            created_at=row.user_created_at,
            disabled_at=row.user_disabled_at,
        )
    return ApiKey(
        id=row.id,
        name=row.name,
        secret_hash=row.secret_hash,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
        role=row.role,
        scopes=_names(row.scopes),
        prompts=_names(row.prompts),
        expires_at=row.expires_at,
        created_by=row.created_by,
        user=user,
    )


def _json(names: tuple[str, ...] | None) -> str | None:
    return None if names is None else msgspec.json.encode(names).decode()


def _names(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else _list.decode(text)
