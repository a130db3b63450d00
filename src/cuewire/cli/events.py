"""`cuewire events`: what happened to the whole registry, and by whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from cuewire.cli.output import Column, note, write_json, write_table
from cuewire.cli.prompt_lines import what_happened
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, moment
from cuewire.model.events import Event
from cuewire.model.pages import MAX_PAGE
from cuewire.wire.events import EventList

Limit = Annotated[int, typer.Option(metavar="N", help="how many", min=1, max=MAX_PAGE)]
After = Annotated[int, typer.Option(metavar="ID", help="go on behind this event", min=0)]


def events(context: typer.Context, limit: Limit = 100, after: After = 0) -> None:
    """List what happened to prompts, labels, strategies, users and keys, oldest first.

    What happened to a prompt is told with its id, by which `prompts show` and all others know it too.
    """
    session: Session = context.obj
    with session.open() as app:
        found = app.events.list(limit=limit, after=after)
    tell_events(session, found, [*map(_whole, found)], limit=limit)


def tell_events(session: Session, found: Sequence[Event], words: Sequence[str], *, limit: int) -> None:
    """Write events as a table, each with the words for what happened."""
    if session.is_json:
        write_json(EventList.of(found))
        return
    columns = [Column("when (UTC)"), Column("who", is_free=True), Column("what", is_free=True)]
    rows = [(moment(event.at), event.actor or UNKNOWN, what) for event, what in zip(found, words, strict=True)]
    write_table(session, columns, rows, empty="nothing more happened")
    if len(found) == limit:
        note(session, f"there may be more: the same with --after {found[-1].id}")


def _whole(event: Event) -> str:
    what = what_happened(event)
    return what if event.prompt_id is None else f"prompt {event.prompt_id}: {what}"
