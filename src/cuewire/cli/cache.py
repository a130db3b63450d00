"""`cuewire cache`: answers that are given again, and what that saved."""

from __future__ import annotations

from typing import Annotated

import typer

from cuewire.cli.output import Column, note, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, moment, one_line, usd
from cuewire.model.cache import MAX_WRONG_RATE
from cuewire.model.pages import MAX_PAGE
from cuewire.wire.cache import (
    CacheMatchPage,
    CacheMatchShape,
    CachePage,
    CacheStatsShape,
    ClearedShape,
    TrustShape,
)

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
def matches(
    context: typer.Context,
    prompt: Annotated[str | None, typer.Argument(metavar="[NAME]", help="of this prompt; without one all")] = None,
    undecided: Annotated[bool, typer.Option("--undecided", help="only those that nobody has decided on")] = False,
    limit: Annotated[int, typer.Option(metavar="N", help="how many", min=1, max=MAX_PAGE)] = 20,
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="go on behind this place")] = None,
) -> None:
    """List answers to similar questions that were not given but got anew, beside what would have been given."""
    session: Session = context.obj
    with session.open() as app:
        page = app.cache.matches(prompt, undecided=undecided, limit=limit, after=after)
    if session.is_json:
        write_json(CacheMatchPage.of(page))
        return
    for match in page.items:
        verdict = f"{match.verdict}, says {match.decided_by}" if match.verdict else "undecided"
        typer.echo(f"{match.execution_id}  {match.prompt}@{match.version}  {match.similarity:.3f} alike  {verdict}")
        typer.echo(f"  asked    {one_line(match.text, width=100)}")
        typer.echo(f"  earlier  {one_line(match.matched_text, width=100)}")
        typer.echo(f"  answer   {one_line(match.answer or UNKNOWN, width=100)}")
        typer.echo(f"  earlier  {one_line(match.matched_answer or UNKNOWN, width=100)}")
    if not page.items:
        note(session, "there are none: a version's policy says which inputs to compare, in cache.semantic")
    if page.next:
        note(session, f"there are more: the same with --after {page.next}")


@cache.command()
def decide(
    context: typer.Context,
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="the id that `matches` shows")],
    verdict: Annotated[str, typer.Argument(metavar="right|wrong", help="would the earlier answer have done?")],
) -> None:
    """Say whether the answer to a similar question would have been right."""
    session: Session = context.obj
    with session.open() as app:
        match = app.cache.decide(execution, verdict)
    if session.is_json:
        write_json(CacheMatchShape.of(match))
    else:
        typer.echo(f"{match.execution_id} is {match.verdict}, says {match.decided_by}")


@cache.command()
def trust(
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(metavar="NAME[@LABEL|@N]", help="as this version compares questions")],
) -> None:
    """Tell how right answers to similar questions would have been, and whether they are given."""
    session: Session = context.obj
    with session.open() as app:
        found = app.cache.trust(prompt)
    if session.is_json:
        write_json(TrustShape.of(found))
        return
    columns = [Column(name, is_number=True) for name in ("right", "wrong", "undecided", "wrong at most")]
    row = (str(found.right), str(found.wrong), str(found.undecided), f"{found.most_wrong:.2%}")
    write_table(session, columns, [row], empty="")
    said = (
        "enough" if found.suffices else f"not enough: at most {MAX_WRONG_RATE:.0%} may be wrong, as 299 right ones show"
    )
    note(session, f"{said}; versions whose policy says serve give them only where it is enough")


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
