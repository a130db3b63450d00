"""Strategies and configurations as rows, and the types of templates that a team adds to those we bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, delete, func, select, update

from cuewire.model.errors import InvalidInput, ScopeExists, ScopeNotFound, StillInUse
from cuewire.model.scopes import Scope, ScopeKind
from cuewire.model.template_types import CatalogueVariable, TemplateType
from cuewire.model.text import check_json
from cuewire.stores.database import Database, insert_into
from cuewire.stores.events import add_event
from cuewire.stores.prompt_changes import inserted
from cuewire.stores.prompt_rows import id_of
from cuewire.stores.schema import PROJECT, prompts, scopes, template_types

_parameters = msgspec.json.Decoder(dict[str, Any])
_variables = msgspec.json.Decoder(tuple[CatalogueVariable, ...])
_parents = scopes.alias()


class SqlScopeStore:
    """Implements `ScopeStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, kind: ScopeKind) -> Sequence[Scope]:
        """Return all of a kind by name."""
        query = _select(kind).order_by(scopes.c.name)
        return await self._database.read(lambda connection: _whole(connection, kind, connection.execute(query).all()))

    async def get(self, kind: ScopeKind, name: str) -> Scope:
        """Return one."""
        return await self._database.read(
            lambda connection: _whole(connection, kind, [_existing(connection, kind, name)])[0]
        )

    async def put(self, kind: ScopeKind, name: str, changes: Mapping[str, Any], *, is_new: bool, by: str) -> Scope:
        """Make one or change one."""
        check_json([name, dict(changes)], pointer="")
        now = self._database.clock.now()

        def run(connection: Connection) -> Scope:
            values = {**changes, "updated_at": now}
            if "parameters" in values:
                values["parameters"] = msgspec.json.encode(values["parameters"]).decode()
            if "parent" in values:
                parent = values.pop("parent")
                values["parent_id"] = _existing(connection, kind, parent).id if parent is not None else None
            if values.get("is_default"):
                connection.execute(_of_kind(kind).values(is_default=False))
            if is_new:
                scope_id = self._insert(connection, kind, name, {"created_at": now, **values})
            else:
                scope_id = _existing(connection, kind, name).id
                connection.execute(_of_kind(kind).where(scopes.c.id == scope_id).values(**values))
            row = _existing(connection, kind, str(scope_id))
            action = f"{kind}.{'added' if is_new else 'changed'}"
            add_event(connection, at=now, actor=by, action=action, data={"name": row.name, **changes})
            _refuse_circle(connection, scope_id)  # after the event, from which on others wait for this transaction
            return _whole(connection, kind, [row])[0]

        return await self._database.write(run)

    async def remove(self, kind: ScopeKind, name: str, *, by: str) -> None:
        """Remove one."""
        now = self._database.clock.now()

        def run(connection: Connection) -> None:
            scope = _existing(connection, kind, name)
            in_use = (prompts.c.project_id == PROJECT, prompts.c.strategy_id == scope.id)
            used = connection.scalar(select(func.count()).select_from(prompts).where(*in_use))
            below = (scopes.c.project_id == PROJECT, scopes.c.kind == kind, scopes.c.parent_id == scope.id)
            children = connection.scalar(select(func.count()).select_from(scopes).where(*below))
            if used or children:
                users = "prompts" if used else "configurations"
                raise StillInUse(
                    f"{kind} {scope.name!r} is in use: there are {users} that name it",
                    hint="it can go when nothing refers to it; archived prompts still do",
                )
            connection.execute(delete(scopes).where(scopes.c.project_id == PROJECT, scopes.c.id == scope.id))
            add_event(connection, at=now, actor=by, action=f"{kind}.removed", data={"name": scope.name})

        await self._database.write(run)

    def _insert(self, connection: Connection, kind: ScopeKind, name: str, values: Mapping[str, Any]) -> int:
        taken = _select(kind).where(scopes.c.name == name)
        if connection.execute(taken).first():
            raise ScopeExists(f"there is a {kind} {name!r} already", field="/name")
        whole = {"project_id": PROJECT, "kind": kind, "name": name, "description": "", "parameters": "{}", **values}
        return inserted(connection, scopes, whole)


class SqlTemplateTypeStore:
    """Implements `TemplateTypeStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self) -> Sequence[TemplateType]:
        """Return the types by name."""
        query = select(template_types).where(template_types.c.project_id == PROJECT).order_by(template_types.c.name)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return tuple(
            TemplateType(name=row.name, description=row.description, variables=_variables.decode(row.variables))
            for row in rows
        )

    async def put(self, kind: TemplateType, *, by: str) -> None:
        """Store a type in the place of one of the name."""
        check_json(msgspec.to_builtins(kind), pointer="")
        now = self._database.clock.now()
        values = {"description": kind.description, "variables": msgspec.json.encode(kind.variables).decode()}

        def run(connection: Connection) -> None:
            statement = insert_into(connection, template_types).values(project_id=PROJECT, name=kind.name, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["project_id", "name"], set_=values))
            add_event(connection, at=now, actor=by, action="template_type.set", data={"name": kind.name})

        await self._database.write(run)


def _select(kind: ScopeKind) -> Select[Any]:
    return (
        select(scopes, _parents.c.name.label("parent"))
        .outerjoin(_parents, _parents.c.id == scopes.c.parent_id)
        .where(scopes.c.project_id == PROJECT, scopes.c.kind == kind)
    )


def _of_kind(kind: ScopeKind) -> Any:
    return update(scopes).where(scopes.c.project_id == PROJECT, scopes.c.kind == kind)


def _existing(connection: Connection, kind: ScopeKind, name: str) -> Row[Any]:
    check_json(name, pointer="/name")
    is_it = scopes.c.id == id_of(name) if name.isdigit() else scopes.c.name == name
    row = connection.execute(_select(kind).where(is_it)).one_or_none()
    if row is None:
        raise ScopeNotFound(f"there is no {kind} {name[:128]!r}", field=f"/{kind}")
    return row


def _refuse_circle(connection: Connection, scope_id: int) -> None:
    """Raise InvalidInput if a configuration would be its own parent, directly or through others."""
    seen: set[int] = set()
    step: int | None = scope_id
    while step is not None:
        if step in seen:
            raise InvalidInput("a configuration cannot be its own parent", field="/parent")
        seen.add(step)
        step = connection.scalar(select(scopes.c.parent_id).where(scopes.c.project_id == PROJECT, scopes.c.id == step))


def _whole(connection: Connection, kind: ScopeKind, rows: Sequence[Row[Any]]) -> tuple[Scope, ...]:
    """Return the scopes of the rows, each with what its parents say."""
    known = {row.id: row for row in rows}
    while absent := {row.parent_id for row in known.values()} - {None, *known}:
        query = _select(kind).where(scopes.c.id.in_(absent))
        known |= {row.id: row for row in connection.execute(query)}
    return tuple(_scope(row, _effective(row, known)) for row in rows)


def _effective(row: Row[Any], known: Mapping[int, Row[Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    step: Row[Any] | None = row
    while step is not None:
        found = _parameters.decode(step.parameters) | found
        step = known.get(step.parent_id)
    return found


def _scope(row: Row[Any], effective: dict[str, Any]) -> Scope:
    return Scope(
        id=row.id,
        kind=row.kind,
        name=row.name,
        description=row.description,
        parent=row.parent,
        parameters=_parameters.decode(row.parameters),
        is_default=row.is_default,
        created_at=row.created_at,
        updated_at=row.updated_at,
        effective=effective,
    )
