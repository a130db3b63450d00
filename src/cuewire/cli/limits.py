"""`cuewire limits`: what holds the model calls of a server up at present."""

from __future__ import annotations

import typer

from cuewire.cli.output import Column, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, count
from cuewire.model.limits import LimitState
from cuewire.wire.limits import LimitList

limits = typer.Typer(
    help="Limits of the model calls of a running server, in the process that answers.", no_args_is_help=True
)


@limits.command("list")
def list_(context: typer.Context) -> None:
    """List what calls to each provider are held to, and what holds them up now."""
    session: Session = context.obj
    if not session.settings.server:
        raise typer.BadParameter("limits are a running server's: say which one", param_hint="--server")
    with session.open() as app:
        states = app.limits.list()
    if session.is_json:
        write_json(LimitList.of(states))
        return
    columns = [
        Column("limit of", is_free=True),
        Column("calls are"),
        Column("running", is_number=True),
        Column("at most", is_number=True),
        Column("waiting", is_number=True),
        Column("refused", is_number=True),
        Column("requests/min", is_number=True),
        Column("tokens/min", is_number=True),
        Column("counted", is_detail=True),
    ]
    rows = [
        (
            state.name,
            _held(state),
            count(state.running),
            _most(state.at_once),
            count(state.waiting),
            count(state.refused),
            _most(state.requests_per_minute),
            _most(state.tokens_per_minute),
            state.counted,
        )
        for state in states
    ]
    write_table(session, columns, rows, empty="no calls yet, and no limits are set")


def _held(state: LimitState) -> str:
    if state.hold == "none":
        return "let through"
    if state.hold == "paused":
        return f"paused for {state.held_for_s:.0f} s"
    if state.hold == "slowed":
        return "slowed"
    return f"refused: key not accepted, tried in {state.held_for_s:.0f} s"


def _most(limit: int | None) -> str:
    return UNKNOWN if limit is None else count(limit)
