"""`cuewire serve`: the same Cuewire for programs that speak HTTP."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cuewire.cli.output import write, write_json
from cuewire.cli.session import Session
from cuewire.model.errors import MissingExtra


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="where to listen")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", help="0 finds a free one", min=0, max=65_535)] = 8470,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="a name by which clients may call the server")
    ] = None,
    max_rate: Annotated[
        int, typer.Option(metavar="N", help="requests a minute of each API key; 0 is as many as there come", min=0)
    ] = 0,
    max_open: Annotated[int, typer.Option(metavar="N", help="requests that one address may have open", min=1)] = 1_000,
) -> None:
    """Serve the database over HTTP until Ctrl-C or SIGTERM; what runs by then is brought to its end.

    The first start makes an API key and a link for a browser, and shows them once. A SQLite file has one server; other
    commands and programs may use the file meanwhile.
    """
    session: Session = context.obj
    try:
        from cuewire.server.guard import Access
        from cuewire.server.limits import Limits
        from cuewire.server.serve import Address, Announcement, serve
        from cuewire.wiring import database_name
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"the server needs {error.name!r}, which is not installed", hint="run: pip install 'cuewire[server]'"
        ) from None

    def announce(said: Announcement) -> None:
        if session.is_json:
            write_json(said)
            return
        write(f"serving {database_name(session.settings)} at {said.url}\n")
        if said.key:
            write(f"API key, shown this once: {said.key}\n")
        if said.link:
            write(f"sign in with a browser, once, within 15 minutes: {said.link}\n")
        print(f"API: {said.url}/docs   end with Ctrl-C", file=sys.stderr)

    access = Access(
        hosts=frozenset(name.lower() for name in allow_host or ()),
        limits=Limits(requests_per_minute=max_rate, open_per_address=max_open),
    )
    serve(session.settings, Address(host=host, port=port, access=access), announce)
