"""API keys as rows: a hash of each secret, never the secret."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, select, update

from cuewire.model.api_keys import ApiKey
from cuewire.model.errors import ApiKeyNotFound
from cuewire.stores.database import Database, insert_into
from cuewire.stores.schema import PROJECT, api_keys


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

    async def add(self, key: ApiKey) -> None:
        """Store a new key."""
        row: dict[str, object] = {"project_id": PROJECT, **msgspec.structs.asdict(key)}
        await self._database.write(lambda connection: _add(connection, row))

    async def revoke(self, key_id: str, *, at: datetime) -> ApiKey:
        """Revoke a key, for good; one that is revoked stays as it is."""
        return await self._database.write(lambda connection: _revoke(connection, key_id, at))


def find_query(key_id: str) -> Select[tuple[object, ...]]:
    """Return the query of one key."""
    return list_query().where(api_keys.c.id == key_id)


def list_query() -> Select[tuple[object, ...]]:
    """Return the query of all keys."""
    return select(api_keys).where(api_keys.c.project_id == PROJECT)


def _add(connection: Connection, row: dict[str, object]) -> None:
    connection.execute(insert_into(connection, api_keys).values(row))


def _revoke(connection: Connection, key_id: str, at: datetime) -> ApiKey:
    is_it = (api_keys.c.project_id == PROJECT) & (api_keys.c.id == key_id)
    connection.execute(update(api_keys).where(is_it, api_keys.c.revoked_at.is_(None)).values(revoked_at=at))
    row = connection.execute(find_query(key_id)).first()
    if row is None:
        raise ApiKeyNotFound(f"no API key has the id {key_id[:40]!r}", field="/id", hint="see: cuewire keys list")
    return _key(row)


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        secret_hash=row.secret_hash,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
