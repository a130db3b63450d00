"""`cuewire prompts import` and `export`: prompts from other registries and tools, and to them."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from cuewire.cli.inputs import read_bytes
from cuewire.cli.output import note, write, write_json
from cuewire.cli.prompt_files import show_changes
from cuewire.cli.session import Session
from cuewire.cli.text import one_line
from cuewire.model.bundles import MAX_BUNDLE_BYTES, Bundle, Loss
from cuewire.model.errors import InvalidInput
from cuewire.model.prompt_files import FileChange

if TYPE_CHECKING:
    from cuewire.model.bundles import BundledVersion, Format


class Source(StrEnum):
    """What can be imported."""

    auto = "auto"
    bundle = "bundle"
    langfuse = "langfuse"
    prompty = "prompty"
    promptfoo = "promptfoo"
    fstring = "fstring"
    mustache = "mustache"


class Target(StrEnum):
    """What can be exported."""

    bundle = "bundle"
    langfuse = "langfuse"
    prompty = "prompty"
    promptfoo = "promptfoo"


def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="a file, or - for standard input")],
    format: Annotated[Source, typer.Option("--format", help="what the file is; auto looks")] = Source.auto,
    name: Annotated[
        str | None, typer.Option("--name", help="what a prompt is called of which the file says no name")
    ] = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="LABEL", help="move this label to each newest version; may be repeated")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="tell what would be added, and store nothing")] = False,
) -> None:
    """Add the prompts of a file, and tell what could not be carried over.

    Versions that are there already are not added again, and production never moves. No keys, users or settings are
    read, no other files, and nothing is run.
    """
    from cuewire.wiring import read_prompts

    session: Session = context.obj
    chosen = None if format is Source.auto else cast("Format", format.value)
    named = name or re.sub(
        r"\.(prompty|txt|md|json|ya?ml|mustache|j2)\Z", "", Path(file).name if file != "-" else "prompt"
    )
    data = read_bytes(file, field="/file", at_most=MAX_BUNDLE_BYTES + 1)
    bundle = read_prompts(data, format=chosen, name=named)
    changes, losses = asyncio.run(_imported(session, bundle, labels=label or (), dry=dry_run))
    if session.is_json:
        write_json({"items": changes, "losses": losses})
        return
    show_changes(session, changes, empty="the file holds no prompt")
    _show_losses(losses)
    if dry_run:
        note(session, "nothing was stored")


def export(
    context: typer.Context,
    name: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="only these prompts")] = None,
    format: Annotated[Target, typer.Option("--format", help="what to write")] = Target.bundle,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="else standard output")] = None,
) -> None:
    """Write prompts with all their versions into one file, or in the format of another tool as far as that goes.

    The file is the same for the same prompts. Archived ones stay out.
    """
    from cuewire.registry.imports import export_prompts
    from cuewire.wiring import write_prompts

    session: Session = context.obj

    async def versions() -> Sequence[BundledVersion]:
        async with session.open() as app:
            return await export_prompts(app.prompts, names=name or ())

    exported = write_prompts(asyncio.run(versions()), format=format.value)
    if output is not None:
        _write_file(output, exported.data)
    if session.is_json:
        place = {"data": exported.data.decode()} if output is None else {"path": str(output)}
        write_json({**place, "losses": exported.losses})
        return
    if output is None:
        sys.stdout.write(exported.data.decode())
    else:
        write(f"{output} is written, {len(exported.data):,} bytes\n")
    _show_losses(exported.losses)


async def _imported(
    session: Session, bundle: Bundle, *, labels: Sequence[str], dry: bool
) -> tuple[list[FileChange], list[Loss]]:
    from cuewire.registry.imports import import_prompts

    changes: list[FileChange] = []
    losses: list[Loss] = []
    async with session.open() as app:
        async for told in import_prompts(app.prompts, bundle, labels=labels, dry=dry):
            if isinstance(told, Loss):
                losses.append(told)
            else:
                changes.append(told)
    return changes, losses


def _write_file(place: Path, data: bytes) -> None:
    try:
        place.write_bytes(data)
    except OSError as error:
        raise InvalidInput(f"{str(place)!r} cannot be written: {error.strerror}", hint="mend the path") from None


def _show_losses(losses: Sequence[Loss]) -> None:
    """Say on stderr what was lost; a document or table on stdout stays what it is."""
    if losses:
        print(f"\n{len(losses)} could not be carried over as they were:", file=sys.stderr)
        for loss in losses:
            place = f"{loss.place}: " if loss.place else ""
            print("  " + one_line(f"{place}{loss.what}: {loss.why}", width=400), file=sys.stderr)
