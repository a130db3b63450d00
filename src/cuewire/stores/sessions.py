"""Sessions of browsers as rows: a hash of each secret, never the secret."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Executable, Row, Select, delete, select, update

from cuewire.model.sessions import Session
from cuewire.stores.database import Database, insert_into
from cuewire.stores.schema import PROJECT, sessions


class SqlSessions:
    """Implements `Sessions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, session_id: str) -> Session | None:
        """Return the session or link of this id, ended or not, None if there is none."""
        query = find_query(session_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return _session(row) if row else None

    async def add(self, session: Session) -> None:
        """Store a link, and drop what has ended by then."""
        row: dict[str, object] = {"project_id": PROJECT, **msgspec.structs.asdict(session)}
        await self._database.write(lambda connection: _add(connection, row, session.created_at))

    async def begin(self, session: Session, *, link_hash: str) -> bool:
        """Make a link the session of the same id, unless that was done before."""
        return await self._database.write(lambda connection: _begin(connection, session, link_hash))

    async def note(self, session_id: str, *, seen_at: datetime) -> None:
        """Note that a session was used."""
        statement = update(sessions).where(_is(session_id)).values(seen_at=seen_at)
        await self._database.write(partial(_change, statement=statement))

    async def end(self, session_id: str) -> None:
        """Drop a session."""
        statement = delete(sessions).where(_is(session_id))
        await self._database.write(partial(_change, statement=statement))


def find_query(session_id: str) -> Select[tuple[object, ...]]:
    """Return the query of one session."""
    return select(sessions).where(_is(session_id))


def _is(session_id: str) -> ColumnElement[bool]:
    return (sessions.c.project_id == PROJECT) & (sessions.c.id == session_id)


def _change(connection: Connection, *, statement: Executable) -> None:
    connection.execute(statement)


def _add(connection: Connection, row: dict[str, object], now: datetime) -> None:
    connection.execute(delete(sessions).where(sessions.c.project_id == PROJECT, sessions.c.ends_at <= now))
    connection.execute(insert_into(connection, sessions).values(row))


def _begin(connection: Connection, session: Session, link_hash: str) -> bool:
    waits = (sessions.c.secret_hash == link_hash) & sessions.c.begun_at.is_(None)
    values = {name: getattr(session, name) for name in ("secret_hash", "begun_at", "seen_at", "ends_at")}
    return connection.execute(update(sessions).where(_is(session.id), waits).values(values)).rowcount == 1


def _session(row: Row[Any]) -> Session:
    return Session(**{name: getattr(row, name) for name in Session.__struct_fields__})
