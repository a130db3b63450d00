"""Changes of prompts and labels, each within the transaction of whoever makes it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias, Unpack

from sqlalchemy import Connection, Row, Table, bindparam, delete, insert, select, update

from cuewire.model.errors import LabelMoved, Outdated, PromptExists
from cuewire.model.prompts import Details, Home, PromptStatus
from cuewire.model.references import LATEST, no_prompt
from cuewire.stores.database import insert_into
from cuewire.stores.events import add_events
from cuewire.stores.prompt_rows import find_prompt, id_of, select_prompts
from cuewire.stores.schema import PROJECT, is_live, labels, prompt_tags, prompts, versions

Told: TypeAlias = tuple[str, Mapping[str, Any]]
"""What an event says: an action, and its data."""
_VERBS = {"active": "activated", "inactive": "deactivated", "archived": "archived"}
_CARRIED = (
    select(labels.c.label, labels.c.version_id, versions.c.number)
    .join(versions, versions.c.id == labels.c.version_id)
    .where(
        labels.c.project_id == PROJECT,
        labels.c.prompt_id == bindparam("id"),
        labels.c.label.in_(bindparam("labels", expanding=True)),
    )
)
_LOCKED = select_prompts().where(prompts.c.id == bindparam("id")).with_for_update(of=prompts)


def inserted(connection: Connection, table: Table, values: Mapping[str, object]) -> int:
    """Insert a row and return the id that it got."""
    key = connection.execute(insert(table), dict(values)).inserted_primary_key
    number: int = key[0] if key else 0
    return number


def lock_prompt(connection: Connection, name: str, **home: Unpack[Home]) -> Row[Any]:
    """Return the prompt that `find_prompt` finds, locked until the transaction ends. Raises as that does."""
    prompt_id = id_of(name) if name.isdigit() else find_prompt(connection, name, **home).id
    found = connection.execute(_LOCKED, {"id": prompt_id}).one_or_none()
    if found is None:
        raise no_prompt(name)
    return found


def refuse_outdated(prompt: Row[Any] | None, revision: int | None, *, name: str = "") -> None:
    """Raise Outdated if the prompt has another revision, where one is given; PromptNotFound if there is none."""
    if revision is None:
        return
    if prompt is None:
        raise no_prompt(name)
    if prompt.revision != revision:
        raise Outdated(
            f"prompt {prompt.name!r} has changed: it is at revision {prompt.revision}, not {revision}",
            hint="read it again, and repeat the change",
        )


def check_label(connection: Connection, prompt: Row[Any], label: str, expected: int | None) -> None:
    """Raise LabelMoved if the label is on another version than expected, where that is said; 0 is none."""
    if expected is None:
        return
    query = (
        select(versions.c.number)
        .join(labels, labels.c.version_id == versions.c.id)
        .where(labels.c.project_id == PROJECT, labels.c.prompt_id == prompt.id, labels.c.label == label)
    )
    found = connection.scalar(query) or 0
    if found != expected:
        raise LabelMoved(
            f"label {label!r} of prompt {prompt.name!r} is on version {found}, not {expected}",
            field="/expected",
            hint="somebody moved it: look again, and repeat the change",
        )


def refuse_second(connection: Connection, prompt: Row[Any]) -> None:
    """Raise PromptExists if bringing an archived prompt back would make a second live one of its name."""
    same = (
        prompts.c.project_id == PROJECT,
        prompts.c.name == prompt.name,
        prompts.c.strategy_id.is_not_distinct_from(prompt.strategy_id),
        prompts.c.language == prompt.language,
        is_live,
        prompts.c.id != prompt.id,
    )
    if prompt.archived_at is not None and connection.scalar(select(prompts.c.id).where(*same)) is not None:
        raise PromptExists(
            f"there is another prompt {prompt.name!r} by now", field="/prompt", hint="archive or rename that one first"
        )


def set_details(
    connection: Connection, prompt: Row[Any], details: Details, *, status: PromptStatus | None, now: datetime
) -> dict[str, Any]:
    """Store what differs from what is stored, and return that."""
    given: dict[str, Any] = {**details}
    tags = given.pop("tags", None)
    if status is not None:
        given["status"] = status
    changed = {name: value for name, value in given.items() if value != getattr(prompt, name)}
    if changed:
        further: dict[str, Any] = {}
        if "status" in changed:
            further["archived_at"] = now if status == "archived" else None
        connection.execute(_of_prompt(prompt.id).values(**changed, **further))
    if tags is not None:
        of_prompt = (prompt_tags.c.project_id == PROJECT, prompt_tags.c.prompt_id == prompt.id)
        stored = {*connection.scalars(select(prompt_tags.c.tag).where(*of_prompt))}
        if stored != {*tags}:
            connection.execute(delete(prompt_tags).where(*of_prompt))
            rows = [{"project_id": PROJECT, "prompt_id": prompt.id, "tag": tag} for tag in sorted({*tags})]
            if rows:
                connection.execute(insert(prompt_tags), rows)
            changed["tags"] = sorted({*tags})
    return changed


def move_labels(
    connection: Connection, prompt_id: int, wanted: Collection[str], version_id: int, now: datetime
) -> dict[str, int]:
    """Put the labels on the version; return those that were not there, each with its number before, 0 for none."""
    carried = connection.execute(_CARRIED, {"id": prompt_id, "labels": [*wanted]})
    before = dict.fromkeys(wanted, (0, 0)) | {label: (version, number) for label, version, number in carried}
    moved = {label: number for label, (version, number) in sorted(before.items()) if version != version_id}
    if moved:
        insertion = insert_into(connection, labels)
        new = {"version_id": insertion.excluded.version_id, "moved_at": insertion.excluded.moved_at}
        of_all = {"project_id": PROJECT, "prompt_id": prompt_id, "version_id": version_id, "moved_at": now}
        connection.execute(
            insertion.on_conflict_do_update(index_elements=["project_id", "prompt_id", "label"], set_=new),
            [{**of_all, "label": label} for label in moved],
        )
    return moved


def touch(connection: Connection, prompt_id: int, now: datetime) -> None:
    """Count the revision up."""
    connection.execute(_of_prompt(prompt_id).values(updated_at=now, revision=prompts.c.revision + 1))


def _of_prompt(prompt_id: int) -> Any:
    return update(prompts).where(prompts.c.project_id == PROJECT, prompts.c.id == prompt_id)


def told_of_changes(changed: Mapping[str, Any]) -> list[Told]:
    """Return what an event says of what is said of a prompt by now: nothing if that is as it was."""
    verb = _VERBS[changed["status"]] if "status" in changed else "changed"
    return [(f"prompt.{verb}", changed)] if changed else []


def told_of_labels(moved: Mapping[str, int], number: int) -> list[Told]:
    """Return what events say of labels that moved to a version."""
    return [
        ("label.moved", {"label": label, "from": before or None, "to": number})
        for label, before in moved.items()
        if label != LATEST
    ]


def tell(connection: Connection, prompt: Row[Any], told: Sequence[Told], *, by: str, now: datetime) -> None:
    """Leave events of the prompt."""
    if told:
        add_events(connection, told, at=now, actor=by, prompt_id=prompt.id)
