"""`cuewire prompts gallery` and `seed`: the prompts that come with Cuewire, to look at and to publish."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from msgspec.structs import replace

from cuewire.cli.output import Column, note, write, write_json, write_table
from cuewire.cli.prompt_files import gathered, show_changes
from cuewire.cli.session import Session
from cuewire.model.prompt_files import PromptFile

gallery = typer.Typer(help="Ready-made prompts: look at them, and publish those that you want.")

_LABELS = typer.Option("--label", metavar="LABEL", help="move this label to each; may be repeated")


@gallery.callback(invoke_without_command=True)
def list_(context: typer.Context) -> None:
    """List the ready-made prompts, or do what the command behind it says."""
    if context.invoked_subcommand is not None:
        return
    from cuewire.wiring import gallery

    session: Session = context.obj
    files = gallery().prompts()
    if session.is_json:
        write_json({"items": files})
        return
    columns = [
        Column("name"),
        Column("category", is_detail=True),
        Column("inputs", is_number=True),
        Column("what it does", is_free=True),
    ]
    rows = [(file.prompt, file.category, str(len(file.variables)), file.description) for file in files]
    write_table(session, columns, rows, empty="the gallery is empty")
    note(session, "publish one with: cuewire prompts gallery add NAME")


@gallery.command()
def show(context: typer.Context, name: Annotated[str, typer.Argument(help="the ready-made prompt")]) -> None:
    """Show one as the file that `prompts push` takes, with an example of each input."""
    from cuewire.wiring import gallery

    session: Session = context.obj
    if session.is_json:
        write_json(gallery().get(name))
    else:
        write(gallery().text(name))


@gallery.command()
def add(
    context: typer.Context,
    name: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="the ready-made prompts")] = None,
    every: Annotated[bool, typer.Option("--all", help="all of them")] = False,
    other: Annotated[str | None, typer.Option("--as", metavar="OTHER", help="publish the one under this name")] = None,
    label: Annotated[list[str] | None, _LABELS] = None,
) -> None:
    """Publish ready-made prompts, to run them and to change them as you like.

    What some version of yours says already is not published again, and production stays where it is.
    """
    from cuewire.wiring import gallery

    if every == bool(name):
        raise typer.BadParameter("name the prompts, or say --all", param_hint="NAME")
    if other is not None and (every or len(name or ()) != 1):
        raise typer.BadParameter("it is for one prompt alone", param_hint="--as")
    ready = gallery()
    files = ready.prompts() if every else [ready.get(one) for one in name or ()]
    _add(context.obj, [replace(files[0], prompt=other)] if other is not None else files, label or ())


def seed(context: typer.Context, label: Annotated[list[str] | None, _LABELS] = None) -> None:
    """Publish the four prompts that a registry can begin with, unless they are there."""
    from cuewire.wiring import gallery

    _add(context.obj, gallery().seeds(), label or ())


def _add(session: Session, files: Sequence[PromptFile], labels: Sequence[str]) -> None:
    from cuewire.registry.files import add

    show_changes(session, gathered(session, lambda face: add(face, files, labels=labels)), empty="nothing to publish")
