"""`cuewire db`: the state of the database, bringing it to this version of Cuewire, and moving it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from cuewire.cli.output import note, program, write, write_json
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, aligned

db = typer.Typer(help="The state of the database, and bringing it up to date.", no_args_is_help=True)


@db.command()
def status(context: typer.Context) -> None:
    """Show where the database is and whether it fits this version."""
    from cuewire.wiring import database_status

    session: Session = context.obj
    found = database_status(session.settings)
    if session.is_json:
        write_json(found)
        return
    rows = [
        ("database", found.where if found.exists else f"{found.where} (made when it is first needed)"),
        ("revision", found.revision or UNKNOWN),
        ("this version", found.head),
        ("to do", ", ".join(found.pending) or "nothing"),
    ]
    write(aligned(rows) + "\n")
    if found.exists and found.pending:
        note(session, f"bring it up to date with: {program()} db upgrade")


@db.command()
def upgrade(context: typer.Context) -> None:
    """Bring the database up to date, after a backup of it."""
    from cuewire.wiring import database_status, upgrade_database

    session: Session = context.obj
    before = database_status(session.settings)
    backup = upgrade_database(session.settings)
    after = database_status(session.settings)
    if session.is_json:
        write_json({"from": before.revision, "to": after.revision, "backup": str(backup) if backup else None})
    elif before.revision == after.revision:
        write(f"{after.where} is up to date ({after.revision})\n")
    else:
        write(f"{after.where} went from {before.revision or 'nothing'} to {after.revision}\n")
        if backup:
            write(f"backup: {backup}\n")


@db.command()
def copy(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="from", help="database URL; nothing in it is changed")],
    target: Annotated[str, typer.Argument(metavar="to", help="database URL; it must be new or empty")],
) -> None:
    """Copy everything into another database, a file or PostgreSQL, and compare row by row."""
    from cuewire.wiring import copy_database

    session: Session = context.obj
    with _bar(session) as progress:
        counts = copy_database(source, target, progress)
    if session.is_json:
        write_json({"rows": counts})
        return
    write(aligned([(table, f"{count:,}") for table, count in counts.items()]) + "\n")
    write(f"{sum(counts.values()):,} rows copied, each compared\n")


@contextmanager
def _bar(session: Session) -> Iterator[Callable[[str, int, int], None]]:
    """Give what to call with each step: on a terminal a bar moves."""
    if not session.is_live:
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(no_color=not session.colors_stdout, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("")
        yield lambda step, done, total: bar.update(task, description=step, completed=done, total=total)
