"""`cuewire cache`: answers that are given again, and what that saved."""

from __future__ import annotations

from typing import Annotated

import typer

from cuewire.cli.output import Column, note, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import moment, one_line, usd
from cuewire.model.pages import MAX_PAGE
from cuewire.wire.cache import CachePage, CacheStatsShape, ClearedShape

cache = typer.Typer(help="See and clear answers that are given again, as the policies of versions say.")


@cache.command("list")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(metavar="N", help="how many", min=1, max=MAX_PAGE)] = 20,
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="go on behind this place")] = None,
) -> None:
    """List entries, the newest first, also those that have expired."""
    session: Session = context.obj
    with session.open() as app:
        page = app.cache.list(limit=limit, after=after)
    if session.is_json:
        write_json(CachePage.of(page))
        return
    columns = [
        Column("kept (UTC)"),
        Column("until"),
        Column("model", is_free=True),
        Column("cost", is_number=True),
        Column("answer", is_free=True),
    ]
    rows = [
        (
            moment(entry.created_at),
            moment(entry.expires_at) if entry.expires_at else "cleared",
            entry.model,
            usd(entry.cost_usd),
            one_line(entry.text, width=60),
        )
        for entry in page.items
    ]
    write_table(session, columns, rows, empty="nothing is kept: a version's policy says what is")
    if page.next:
        note(session, f"there are more: the same with --after {page.next}")


@cache.command()
def stats(context: typer.Context) -> None:
    """Tell what the cache holds, and what executions got from it."""
    session: Session = context.obj
    with session.open() as app:
        found = app.cache.stats()
    if session.is_json:
        write_json(CacheStatsShape.of(found))
        return
    columns = [Column("entries", is_number=True), Column("expired", is_number=True), Column("hits", is_number=True)]
    row = (str(found.entries), str(found.expired), str(found.hits), usd(found.saved_usd))
    write_table(session, [*columns, Column("saved", is_number=True)], [row], empty="")


@cache.command()
def clear(
    context: typer.Context,
    prompt: Annotated[str | None, typer.Argument(metavar="[NAME[@N]]", help="of this prompt; without one all")] = None,
) -> None:
    """Remove entries, so that who asks the same is answered anew."""
    session: Session = context.obj
    name, _, number = (prompt or "").partition("@")
    if number and not number.isdigit():
        raise typer.BadParameter("name a version by its number, as in triage@7", param_hint="NAME")
    with session.open() as app:
        removed = app.cache.clear(name or None, number=int(number) if number else None)
    if session.is_json:
        write_json(ClearedShape(removed=removed))
    else:
        typer.echo(f"{removed} {'entry' if removed == 1 else 'entries'} removed")
