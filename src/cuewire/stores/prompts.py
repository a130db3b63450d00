"""Prompts, versions and labels as rows. Numbers are given out under a lock on the prompt, so they have no gaps."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, insert, select, update

from cuewire.model.errors import LabelNotFound, PromptArchived, PromptNotFound, VersionNotFound
from cuewire.model.outputs import OutputKind
from cuewire.model.pages import Page
from cuewire.model.prompts import (
    DEFAULT_LABEL,
    LATEST,
    MessageTemplate,
    Prompt,
    PromptVersion,
    Reference,
    Variable,
    VersionDraft,
)
from cuewire.model.text import check_json
from cuewire.stores.cursors import check_limit, make_cursor, read_cursor
from cuewire.stores.database import Database, insert_into
from cuewire.stores.schema import PROJECT, labels, prompts, versions

_messages = msgspec.json.Decoder(tuple[MessageTemplate, ...])
_variables = msgspec.json.Decoder(dict[str, Variable])
_parameters = msgspec.json.Decoder(dict[str, Any])
_output = msgspec.json.Decoder(OutputKind)


class SqlPromptStore:
    """Implements `PromptStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, draft: VersionDraft, *, labels: Sequence[str] = ()) -> PromptVersion:
        """Store the next version. Raises InvalidInput for text that no database can store."""
        check_json(msgspec.to_builtins(draft), pointer="")
        now = self._database.clock.now()
        return await self._database.write(lambda connection: _publish(connection, draft, labels, now))

    async def resolve(self, reference: Reference) -> PromptVersion:
        """Return the version, by one query."""
        return await self._database.read(lambda connection: _resolve(connection, reference))

    async def get(self, name: str) -> Prompt:
        """Return the prompt."""
        return await self._database.read(lambda connection: _get(connection, name))

    async def list(self, *, limit: int, after: str | None, archived: bool) -> Page[Prompt]:
        """Return prompts by name, of one shelf."""
        shelf = "archived prompts" if archived else "prompts"
        last = read_cursor(after, of=shelf) if after is not None else None
        size = check_limit(limit)
        found = await self._database.read(lambda connection: _list(connection, size + 1, last, archived))
        more = len(found) > size
        return Page(found[:size], make_cursor(found[size - 1].name, of=shelf) if more else None)

    async def versions(self, name: str) -> Sequence[PromptVersion]:
        """Return all versions, newest first."""
        return await self._database.read(lambda connection: _versions(connection, name))

    async def label(self, name: str, label: str, number: int) -> PromptVersion:
        """Move the label."""
        check_json(label, pointer="/label")
        now = self._database.clock.now()
        return await self._database.write(lambda connection: _label(connection, name, label, number, now))

    async def archive(self, name: str) -> Prompt:
        """Archive the prompt; doing so again changes nothing."""
        now = self._database.clock.now()
        return await self._database.write(lambda connection: _archive(connection, name, now))


def _publish(connection: Connection, draft: VersionDraft, wanted: Sequence[str], now: datetime) -> PromptVersion:
    prompt = connection.execute(_select_prompt(draft.prompt).with_for_update()).one_or_none()
    if prompt is None:
        values = {"project_id": PROJECT, "name": draft.prompt, "created_at": now, "updated_at": now}
        prompt_id = _inserted(connection, prompts, values)
    else:
        _refuse_archived(prompt)
        prompt_id = prompt.id
    newest = connection.execute(_newest_first(prompt_id).limit(1)).one_or_none()
    if newest is not None and newest.content_hash == draft.content_hash:
        version_id = newest.id
    else:
        version_id = _insert_version(connection, draft, prompt_id, newest.number + 1 if newest else 1, now)
    first = () if newest else (DEFAULT_LABEL,)
    _move_labels(connection, prompt_id, {LATEST, *first, *wanted}, version_id, now)
    return _version(connection.execute(_select_versions().where(versions.c.id == version_id)).one())


def _insert_version(connection: Connection, draft: VersionDraft, prompt_id: int, number: int, now: datetime) -> int:
    values = {
        "project_id": PROJECT,
        "prompt_id": prompt_id,
        "number": number,
        "messages": _json(draft.messages),
        "variables": _json(draft.variables),
        "model": draft.model,
        "parameters": _json(draft.parameters),
        "output": _json(draft.output),
        "content_hash": draft.content_hash,
        "note": draft.note,
        "created_at": now,
    }
    return _inserted(connection, versions, values)


def _inserted(connection: Connection, table: Table, values: Mapping[str, object]) -> int:
    key = connection.execute(insert(table).values(values)).inserted_primary_key
    number: int = key[0] if key else 0
    return number


def _move_labels(
    connection: Connection, prompt_id: int, wanted: Collection[str], version_id: int, now: datetime
) -> None:
    moved = 0
    for label in sorted(wanted):
        statement = insert_into(connection, labels).values(
            project_id=PROJECT, prompt_id=prompt_id, label=label, version_id=version_id, moved_at=now
        )
        moved += connection.execute(
            statement.on_conflict_do_update(
                index_elements=["project_id", "prompt_id", "label"],
                set_={"version_id": version_id, "moved_at": now},
                where=labels.c.version_id != version_id,
            )
        ).rowcount
    if moved:
        of_prompt = (prompts.c.project_id == PROJECT, prompts.c.id == prompt_id)
        connection.execute(update(prompts).where(*of_prompt).values(updated_at=now))


def _resolve(connection: Connection, reference: Reference) -> PromptVersion:
    query = _select_versions().where(_is_named(reference.name), prompts.c.archived_at.is_(None))
    if reference.number is not None:
        query = query.where(versions.c.number == reference.number)
    else:
        query = query.join(
            labels,
            (labels.c.project_id == PROJECT)
            & (labels.c.prompt_id == prompts.c.id)
            & (labels.c.version_id == versions.c.id),
        ).where(labels.c.label == reference.label)
    found = connection.execute(query).one_or_none()
    if found is not None:
        return _version(found)
    prompt = connection.execute(_select_prompt(reference.name)).one_or_none()
    if prompt is None:
        raise _no_prompt(reference.name)
    if prompt.archived_at is not None:
        raise PromptNotFound(f"prompt {reference.name!r} is archived", field="/prompt", hint="publish under a new name")
    if reference.number is not None:
        raise _no_version(reference.name, reference.number)
    raise LabelNotFound(
        f"prompt {reference.name!r} has no version labelled {reference.label!r}",
        field="/prompt",
        hint=f"label one with: cuewire prompts label {reference.name} {reference.label} NUMBER",
    )


def _get(connection: Connection, name: str) -> Prompt:
    return _with_labels(connection, [_existing(connection, name)])[0]


def _list(connection: Connection, limit: int, after: str | None, archived: bool) -> tuple[Prompt, ...]:
    on_shelf = prompts.c.archived_at.is_not(None) if archived else prompts.c.archived_at.is_(None)
    query = select(prompts).where(prompts.c.project_id == PROJECT, on_shelf).order_by(prompts.c.name).limit(limit)
    if after is not None:
        query = query.where(prompts.c.name > after)
    return _with_labels(connection, connection.execute(query).all())


def _versions(connection: Connection, name: str) -> tuple[PromptVersion, ...]:
    prompt = _existing(connection, name)
    return tuple(_version(row) for row in connection.execute(_newest_first(prompt.id)))


def _label(connection: Connection, name: str, label: str, number: int, now: datetime) -> PromptVersion:
    prompt = _existing(connection, name)
    _refuse_archived(prompt)
    query = _select_versions().where(versions.c.prompt_id == prompt.id, versions.c.number == number)
    version = connection.execute(query).one_or_none()
    if version is None:
        raise _no_version(name, number)
    _move_labels(connection, prompt.id, [label], version.id, now)
    return _version(connection.execute(query).one())


def _archive(connection: Connection, name: str, now: datetime) -> Prompt:
    prompt = _existing(connection, name)
    if prompt.archived_at is None:
        of_prompt = (prompts.c.project_id == PROJECT, prompts.c.id == prompt.id)
        connection.execute(update(prompts).where(*of_prompt).values(archived_at=now, updated_at=now))
    return _get(connection, name)


def _select_prompt(name: str) -> Select[Any]:
    return select(prompts).where(prompts.c.project_id == PROJECT, _is_named(name))


def _is_named(name: str) -> ColumnElement[bool]:
    check_json(name, pointer="/prompt")  # or the databases would disagree
    return prompts.c.name == name


def _select_versions() -> Select[Any]:
    """Select versions, each with its prompt's name and the labels that it carries, joined by commas."""
    carried = (
        select(func.aggregate_strings(labels.c.label, ","))
        .where(
            labels.c.project_id == PROJECT,
            labels.c.prompt_id == versions.c.prompt_id,
            labels.c.version_id == versions.c.id,
        )
        .scalar_subquery()
        .correlate(versions)
    )
    return (
        select(versions, prompts.c.name.label("prompt"), carried.label("labels"))
        .join(prompts, prompts.c.id == versions.c.prompt_id)
        .where(versions.c.project_id == PROJECT, prompts.c.project_id == PROJECT)
    )


def _newest_first(prompt_id: int) -> Select[Any]:
    return _select_versions().where(versions.c.prompt_id == prompt_id).order_by(versions.c.number.desc())


def _existing(connection: Connection, name: str) -> Row[Any]:
    prompt = connection.execute(_select_prompt(name)).one_or_none()
    if prompt is None:
        raise _no_prompt(name)
    return prompt


def _with_labels(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Prompt, ...]:
    of_these = [row.id for row in rows]
    carried: dict[int, dict[str, int]] = {prompt_id: {} for prompt_id in of_these}
    query = (
        select(labels.c.prompt_id, labels.c.label, versions.c.number)
        .join(versions, versions.c.id == labels.c.version_id)
        .where(labels.c.project_id == PROJECT, labels.c.prompt_id.in_(of_these))
        .order_by(labels.c.prompt_id, labels.c.label)
    )
    for prompt_id, label, number in connection.execute(query):
        carried[prompt_id][label] = number
    counts = connection.execute(
        select(versions.c.prompt_id, func.max(versions.c.number).label("number"))
        .where(versions.c.project_id == PROJECT, versions.c.prompt_id.in_(of_these))
        .group_by(versions.c.prompt_id)
    )
    numbers = {row.prompt_id: row.number for row in counts}
    return tuple(
        Prompt(
            id=row.id,
            name=row.name,
            labels=carried[row.id],
            versions=numbers.get(row.id, 0),
            archived=row.archived_at is not None,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    )


def _version(row: Row[Any]) -> PromptVersion:
    return PromptVersion(
        id=row.id,
        prompt_id=row.prompt_id,
        prompt=row.prompt,
        number=row.number,
        messages=_messages.decode(row.messages),
        variables=_variables.decode(row.variables),
        model=row.model,
        parameters=_parameters.decode(row.parameters),
        output=_output.decode(row.output),
        content_hash=row.content_hash,
        note=row.note,
        created_at=row.created_at,
        labels=tuple(sorted(row.labels.split(","))) if row.labels else (),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _refuse_archived(prompt: Row[Any]) -> None:
    if prompt.archived_at is not None:
        raise PromptArchived(f"prompt {prompt.name!r} is archived", field="/prompt", hint="publish under a new name")


def _no_prompt(name: str) -> PromptNotFound:
    return PromptNotFound(
        f"there is no prompt {name[:128]!r}", field="/prompt", hint="list them with: cuewire prompts list"
    )


def _no_version(name: str, number: int) -> VersionNotFound:
    return VersionNotFound(
        f"prompt {name!r} has no version {number}", field="/prompt", hint=f"list them with: cuewire prompts list {name}"
    )
