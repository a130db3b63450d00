"""`cuewire prompts pull` and `push`: prompts as files, for a team's own version control."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated

import typer

from cuewire.cli.output import Column, note, tell, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN
from cuewire.model.prompt_files import FileChange
from cuewire.model.references import DEFAULT_LABEL
from cuewire.ports import PromptsFace


def pull(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="where the files go; it is made if need be")],
    name: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="only these prompts")] = None,
    label: Annotated[str, typer.Option(metavar="LABEL", help="the versions that carry it")] = DEFAULT_LABEL,
) -> None:
    """Write prompts into files, NAME.prompt each, that read well and go back unchanged.

    Files of prompts that there are no more stay as they are.
    """
    from cuewire.registry.files import pull
    from cuewire.wiring import prompt_folder

    session: Session = context.obj
    files = prompt_folder(folder)
    changes = gathered(session, lambda face: pull(face, files, names=name or (), label=label))
    show_changes(session, changes, empty=f"no prompt has a version labelled {label}")


def push(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="where the files are")],
    label: Annotated[
        list[str] | None, typer.Option(metavar="LABEL", help="move this label to each; may be repeated")
    ] = None,
    release: Annotated[bool, typer.Option("--publish", help="give each the label production at once")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="tell what would be published, and store nothing")] = False,
) -> None:
    """Publish the prompt files of a folder where they differ from the newest versions.

    All files are looked through before the first is published. Nothing is archived or deleted.
    """
    from cuewire.registry.files import push
    from cuewire.wiring import prompt_folder

    session: Session = context.obj
    files = prompt_folder(folder)
    changes = gathered(session, lambda face: push(face, files, labels=label or (), release=release, dry=dry_run))
    show_changes(session, changes, empty=f"no file in {folder} ends in .prompt")
    if dry_run:
        note(session, "nothing was stored")


def gathered(session: Session, work: Callable[[PromptsFace], AsyncIterator[FileChange]]) -> list[FileChange]:
    """Do the work on the prompts of the settings, and say each step where a person watches."""

    async def run() -> list[FileChange]:
        changes = []
        async with session.open() as app:
            async for change in work(app.prompts):
                changes.append(change)
                if session.is_live and change.change != "unchanged":
                    tell(session, f"{change.title}: {change.change}")
        return changes

    return asyncio.run(run())


def show_changes(session: Session, changes: list[FileChange], *, empty: str) -> None:
    """Show what became of each prompt."""
    if session.is_json:
        write_json({"items": changes})
        return
    columns = [Column("prompt", is_free=True), Column("version", is_number=True), Column("change")]
    rows = [(change.title, str(change.number or UNKNOWN), change.change) for change in changes]
    write_table(session, columns, rows, empty=empty)
