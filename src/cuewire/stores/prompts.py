"""Prompts, versions and labels as rows. Numbers are given out under a lock on the prompt, so they have no gaps.

Each change counts the prompt's revision up and leaves an event, in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import msgspec
from sqlalchemy import Connection

from cuewire.model.pages import Page
from cuewire.model.prompts import (
    Details,
    Home,
    Prompt,
    PromptFilter,
    PromptStats,
    PromptStatus,
    PromptVersion,
    VersionDraft,
)
from cuewire.model.references import DEFAULT_LABEL, Reference
from cuewire.model.text import check_json
from cuewire.stores.database import Database
from cuewire.stores.prompt_changes import (
    check_label,
    lock_prompt,
    move_labels,
    refuse_outdated,
    refuse_second,
    set_details,
    tell,
    told_of_changes,
    told_of_labels,
    touch,
)
from cuewire.stores.prompt_counts import count_prompts
from cuewire.stores.prompt_lists import first_prompts, list_prompts
from cuewire.stores.prompt_rows import (
    find_prompt,
    find_version,
    newest_first,
    prompts_of,
    refuse_archived,
    resolve,
    version_of,
)
from cuewire.stores.publishing import Publishing

_NONE: Details = {}


class SqlPromptStore:
    """Implements `PromptStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(
        self,
        draft: VersionDraft,
        *,
        labels: Sequence[str] = (),
        first: Sequence[str] = (DEFAULT_LABEL,),
        details: Details = _NONE,
        status: PromptStatus | None = None,
        is_new: bool = False,
        by: str = "",
        revision: int | None = None,
        **home: Unpack[Home],
    ) -> PromptVersion:
        """Store the next version. Raises InvalidInput for text that no database can store."""
        check_json(msgspec.to_builtins(draft), pointer="")
        check_json(dict(details), pointer="")
        now = self._database.clock.now()

        def run(connection: Connection) -> PromptVersion:
            publishing = Publishing(connection, by=by, now=now)
            prompt = publishing.find(draft.prompt, is_new=is_new, **home)
            refuse_outdated(prompt, revision, name=draft.prompt)
            return publishing.publish(prompt, draft, labels=labels, first=first, details=details, status=status, **home)

        return await self._database.write(run)

    async def resolve(self, reference: Reference) -> PromptVersion:
        """Return the version."""
        return await self._database.read(lambda connection: resolve(connection, reference))

    async def get(self, name: str, **home: Unpack[Home]) -> Prompt:
        """Return the prompt."""
        return await self._database.read(
            lambda connection: prompts_of(connection, [find_prompt(connection, name, **home)])[0]
        )

    async def list(
        self, wanted: PromptFilter, *, limit: int, after: str | None = None, page: int | None = None
    ) -> Page[Prompt]:
        """Return prompts in the order that is wanted."""
        return await self._database.read(
            lambda connection: list_prompts(connection, wanted, limit=limit, after=after, page=page)
        )

    async def first(self, wanted: PromptFilter, *, limit: int) -> tuple[Prompt, ...]:
        """Return the first prompts in the order that is wanted."""
        return await self._database.read(lambda connection: first_prompts(connection, wanted, limit=limit))

    async def stats(self, *, among: Sequence[str] | None = None) -> PromptStats:
        """Count prompts."""
        return await self._database.read(lambda connection: count_prompts(connection, among))

    async def versions(
        self, name: str, *, numbers: Sequence[int] | None = None, **home: Unpack[Home]
    ) -> Sequence[PromptVersion]:
        """Return all versions, newest first, or some."""

        def run(connection: Connection) -> Sequence[PromptVersion]:
            prompt = find_prompt(connection, name, **home)
            if numbers is not None:
                return tuple(find_version(connection, prompt, number) for number in numbers)
            return tuple(version_of(row) for row in connection.execute(newest_first(prompt.id)))

        return await self._database.read(run)

    async def label(
        self,
        name: str,
        label: str,
        number: int,
        *,
        by: str = "",
        expected: int | None = None,
        **home: Unpack[Home],
    ) -> PromptVersion:
        """Move the label."""
        check_json(label, pointer="/label")
        now = self._database.clock.now()

        def run(connection: Connection) -> PromptVersion:
            prompt = lock_prompt(connection, name, **home)
            refuse_archived(prompt)
            version = find_version(connection, prompt, number)
            check_label(connection, prompt, label, expected)
            if moved := move_labels(connection, prompt.id, [label], version.id, now):
                touch(connection, prompt.id, now)
                tell(connection, prompt, told_of_labels(moved, number), by=by, now=now)
            return find_version(connection, prompt, number)

        return await self._database.write(run)

    async def change(
        self,
        name: str,
        *,
        details: Details = _NONE,
        status: PromptStatus | None = None,
        by: str = "",
        revision: int | None = None,
        **home: Unpack[Home],
    ) -> Prompt:
        """Change what is said of the prompt; saying what is so already changes nothing."""
        check_json(dict(details), pointer="")
        now = self._database.clock.now()

        def run(connection: Connection) -> Prompt:
            prompt = lock_prompt(connection, name, **home)
            refuse_outdated(prompt, revision)
            if status not in (None, "archived"):
                refuse_second(connection, prompt)
            changed = set_details(connection, prompt, details, status=status, now=now)
            if changed:
                touch(connection, prompt.id, now)
                tell(connection, prompt, told_of_changes(changed), by=by, now=now)
            return prompts_of(connection, [find_prompt(connection, str(prompt.id))])[0]

        return await self._database.write(run)
