"""Publishing a version, inside its transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, select

from cuewire.model.errors import PromptExists, PromptNotFound
from cuewire.model.prompts import Details, PromptStatus, PromptVersion, VersionDraft
from cuewire.model.references import DEFAULT_LANGUAGE, LATEST
from cuewire.stores.prompt_changes import (
    Told,
    inserted,
    lock_prompt,
    move_labels,
    set_details,
    tell,
    told_of_changes,
    told_of_labels,
    touch,
)
from cuewire.stores.prompt_rows import (
    find_live,
    find_prompt,
    find_strategy,
    find_version,
    refuse_archived,
    select_prompts,
)
from cuewire.stores.schema import PROJECT, prompts, versions

_NEWEST = (
    select(versions.c.id, versions.c.number, versions.c.content_hash)
    .where(versions.c.project_id == PROJECT, versions.c.prompt_id == bindparam("id"))
    .order_by(versions.c.number.desc())
    .limit(1)
)


class Publishing:
    """One publication, inside its transaction; a new version, what is said of the prompt, and labels."""

    def __init__(self, connection: Connection, *, by: str, now: datetime) -> None:
        self._connection = connection
        self._by = by
        self._now = now

    def find(
        self, name: str, *, is_new: bool, strategy: str | None = None, language: str | None = None
    ) -> Row[Any] | None:
        """Return the prompt to publish to, None if it has to be made. Raises NotFound, PromptArchived, PromptExists."""
        connection = self._connection
        if name.isdigit():
            prompt = lock_prompt(connection, name)
            refuse_archived(prompt)
            return prompt
        strategy_id = find_strategy(connection, strategy)
        live = find_live(connection, name, strategy_id, language or DEFAULT_LANGUAGE)
        if live is not None and is_new:
            raise PromptExists(f"there is a prompt {name!r} already", field="/name", hint="publish a version of it")
        if live is None and not is_new:
            try:
                refuse_archived(find_prompt(connection, name, strategy=strategy, language=language or DEFAULT_LANGUAGE))
            except PromptNotFound:
                return None
        return live

    def publish(
        self,
        prompt: Row[Any] | None,
        draft: VersionDraft,
        *,
        labels: Sequence[str],
        first: Sequence[str],
        details: Details,
        status: PromptStatus | None = None,
        strategy: str | None = None,
        language: str | None = None,
    ) -> PromptVersion:
        """Store the version, and all that moves with it."""
        connection, now = self._connection, self._now
        if prompt is None:
            prompt_id = self._insert_prompt(draft.prompt, find_strategy(connection, strategy), language)
            prompt = connection.execute(select_prompts().where(prompts.c.id == prompt_id)).one()
            newest = None
        else:
            newest = connection.execute(_NEWEST, {"id": prompt.id}).one_or_none()
        said = set_details(connection, prompt, details, status=status, now=now)
        is_same = newest is not None and newest.content_hash == draft.content_hash
        number = newest.number + (not is_same) if newest else 1
        version_id = newest.id if newest and is_same else self._insert_version(draft, prompt.id, number)
        moved = move_labels(connection, prompt.id, {LATEST, *labels, *(() if newest else first)}, version_id, now)
        if newest and (said or moved):
            touch(connection, prompt.id, now)
        told: list[Told] = told_of_changes(said)
        if newest is None:
            told = [("prompt.created", {"name": prompt.name, **said})]
        if not is_same:
            told.append(("version.published", {"number": number, "note": draft.note}))
        tell(connection, prompt, told + told_of_labels(moved, number), by=self._by, now=now)
        return find_version(connection, prompt, number)

    def _insert_prompt(self, name: str, strategy_id: int | None, language: str | None) -> int:
        values = {
            "project_id": PROJECT,
            "name": name,
            "strategy_id": strategy_id,
            "language": language or DEFAULT_LANGUAGE,
            "created_at": self._now,
            "updated_at": self._now,
        }
        return inserted(self._connection, prompts, values)

    def _insert_version(self, draft: VersionDraft, prompt_id: int, number: int) -> int:
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
            "includes": _json(draft.includes),
            "lenient": draft.lenient,
            "policy": _json(draft.policy),
            "parent": draft.parent if draft.parent is not None else (number - 1 or None),
            "author": self._by,
            "note": draft.note,
            "created_at": self._now,
        }
        return inserted(self._connection, versions, values)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
