"""Users as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, Row, Select, select, update

from cuewire.model.actors import Role
from cuewire.model.errors import Conflict, UserExists, UserNotFound
from cuewire.model.users import User
from cuewire.stores.database import Database, insert_into
from cuewire.stores.events import add_event
from cuewire.stores.schema import PROJECT, users


class SqlUsers:
    """Implements `Users`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self) -> Sequence[User]:
        """Return all users by name."""
        query = list_query()
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_user(row) for row in rows]

    async def add(self, user: User, *, by: str) -> None:
        """Store a new user."""
        await self._database.write(lambda connection: _add(connection, user, by))

    async def change(
        self, name: str, *, at: datetime, by: str, role: Role | None = None, disabled: bool | None = None
    ) -> User:
        """Give a user another role, disable or enable them, unless that would leave no admin."""

        def change(connection: Connection) -> User:
            before = _locked(connection, name)
            after = before
            if role is not None:
                after = replace(after, role=role)
            if disabled is not None:
                after = replace(after, disabled_at=(before.disabled_at or at) if disabled else None)
            _change(connection, before, after, at=at, by=by)
            return after

        return await self._database.write(change)


def list_query() -> Select[Any]:
    """Return the query of all users."""
    return select(users).where(users.c.project_id == PROJECT).order_by(users.c.name)


def user_id(connection: Connection, name: str) -> int:
    """Return the number of the user of this name. Raises UserNotFound."""
    query = select(users.c.id).where(users.c.project_id == PROJECT, users.c.name == name)
    found: int | None = connection.scalar(query)
    if found is None:
        raise _no_user(name)
    return found


def _no_user(name: str) -> UserNotFound:
    return UserNotFound(f"there is no user {name[:100]!r}", field="/user", hint="see: cuewire users list")


def _add(connection: Connection, user: User, by: str) -> None:
    row = {"project_id": PROJECT, **asdict(user)}
    statement = insert_into(connection, users).values(row).on_conflict_do_nothing()
    if connection.execute(statement).rowcount != 1:
        raise UserExists(f"there is a user {user.name!r}", field="/name", hint="see: cuewire users list")
    add_event(
        connection, at=user.created_at, actor=by, action="user.added", data={"user": user.name, "role": user.role}
    )


def _locked(connection: Connection, name: str) -> User:
    """Return a user; whoever would change one meanwhile waits, or two admins could lower each other at a time."""
    found = {row.name: row for row in connection.execute(list_query().with_for_update())}
    if name not in found:
        raise _no_user(name)
    return _user(found[name])


def _change(connection: Connection, before: User, after: User, *, at: datetime, by: str) -> None:
    is_it = (users.c.project_id == PROJECT) & (users.c.name == before.name)
    if _is_admin(before) and not _is_admin(after):
        others = list_query().where(~is_it, users.c.role == "admin", users.c.disabled_at.is_(None))
        if connection.execute(others).first() is None:
            raise Conflict(f"{before.name!r} is the last admin", field="/name", hint="make another user an admin first")
    connection.execute(update(users).where(is_it).values(role=after.role, disabled_at=after.disabled_at))
    if after.role != before.role:
        told = {"user": before.name, "from": before.role, "to": after.role}
        add_event(connection, at=at, actor=by, action="user.role_changed", data=told)
    if (after.disabled_at is None) != (before.disabled_at is None):
        action = "user.enabled" if after.disabled_at is None else "user.disabled"
        add_event(connection, at=at, actor=by, action=action, data={"user": before.name})


def _is_admin(user: User) -> bool:
    return user.role == "admin" and user.disabled_at is None


def _user(row: Row[Any]) -> User:
    return User(name=row.name, role=row.role, created_at=row.created_at, disabled_at=row.disabled_at)
