"""`cuewire db`: the state of the database, and bringing it to this version of Cuewire."""

from __future__ import annotations

import msgspec
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
        write_json({**msgspec.to_builtins(found, builtin_types=(), enc_hook=str)})
        return
    rows = [
        ("file", str(found.path) if found.exists else f"{found.path} (made when it is first needed)"),
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
        write(f"{after.path} is up to date ({after.revision})\n")
    else:
        write(f"{after.path} went from {before.revision or 'nothing'} to {after.revision}\n")
        if backup:
            write(f"backup: {backup}\n")
