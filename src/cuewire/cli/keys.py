"""`cuewire keys`: who may use the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from cuewire.cli.output import Column, note, program, write, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, moment
from cuewire.engine.app import LocalApp
from cuewire.model.errors import ConfigError

T = TypeVar("T")
keys = typer.Typer(help="API keys of the server: make, list, revoke.", no_args_is_help=True)


@keys.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="whose key it is, or what it is for")],
) -> None:
    """Make an API key and show it, this once."""
    session: Session = context.obj
    issued = _with_app(session, lambda app: app.keys.issue(name))
    if session.is_json:
        write_json({"id": issued.key.id, "name": issued.key.name, "key": issued.text})
        return
    write(issued.text + "\n")
    note(session, f"it is shown this once; take it back with: {program()} keys revoke {issued.key.id}")


@keys.command("list")
def list_(context: typer.Context) -> None:
    """List API keys, oldest first, without their secrets."""
    session: Session = context.obj
    found = _with_app(session, lambda app: app.keys.list())
    if session.is_json:
        rows = [{"id": k.id, "name": k.name, "created_at": k.created_at, "revoked_at": k.revoked_at} for k in found]
        write_json({"items": rows})
        return
    columns = [Column("id"), Column("name", is_free=True), Column("made (UTC)"), Column("revoked (UTC)")]
    table = [(key.id, key.name, moment(key.created_at), moment(key.revoked_at) or UNKNOWN) for key in found]
    write_table(session, columns, table, empty=f"no keys; make one with: {program()} keys create NAME")


@keys.command()
def revoke(context: typer.Context, id: Annotated[str, typer.Argument(help="the key's id, as listed")]) -> None:
    """Revoke an API key, for good; servers forget it within a second."""
    session: Session = context.obj
    revoked = _with_app(session, lambda app: app.keys.revoke(id))
    if session.is_json:
        write_json({"id": revoked.id, "name": revoked.name, "revoked_at": revoked.revoked_at})
    else:
        write(f"{revoked.id} ({revoked.name}) opens nothing any more\n")


@keys.command()
def link(
    context: typer.Context,
    id: Annotated[str, typer.Argument(help="the key's id, as listed")],
    url: Annotated[str, typer.Option(metavar="URL", help="where the server is")] = "http://127.0.0.1:8470",
) -> None:
    """Make a link that signs one browser in, once, to do what the API key may do."""
    session: Session = context.obj
    secret = _with_app(session, lambda app: app.sign_ins.invite(id))
    address = f"{url.rstrip('/')}/#{secret}"
    if session.is_json:
        write_json({"link": address})
        return
    write(address + "\n")
    note(session, f"it works once and for 15 minutes; end its session with: {program()} keys revoke {id}")


def _with_app(session: Session, work: Callable[[LocalApp], Awaitable[T]]) -> T:
    from cuewire.wiring import connect, is_database_named

    if session.settings.server and not is_database_named(session.settings):
        raise ConfigError(
            f"API keys of {session.settings.server} are made where it runs",
            hint="run this there, or name the database with --database",
            field="server",
        )

    async def run() -> T:
        app = await connect(settings=session.settings)
        try:
            return await work(app)
        finally:
            await app.close()

    return asyncio.run(run())
