"""`cuewire breakers`: which models a server calls at present, and stopping or allowing calls by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from cuewire.cli.output import Column, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, count, moment
from cuewire.model.breakers import BreakerState, BreakerTurn
from cuewire.wire.breakers import BreakerList, BreakerShape

breakers = typer.Typer(
    help="Circuit breakers of a running server, in the process that answers: list them, open or close one.",
    no_args_is_help=True,
)

_Model = Annotated[str, typer.Argument(help="provider/model, as in openai/gpt-4o-mini")]


@breakers.command("list")
def list_(context: typer.Context) -> None:
    """List the breakers of the models that the server has called."""
    session = _on_a_server(context)
    with session.open() as app:
        states = app.breakers.list()
    if session.is_json:
        write_json(BreakerList.of(states))
    else:
        _write(session, states)


@breakers.command("open")
def open_(context: typer.Context, model: _Model) -> None:
    """Stop all calls to a model, until it is reset or closed."""
    _turn(context, model, "open")


@breakers.command()
def close(context: typer.Context, model: _Model) -> None:
    """Let all calls to a model through, until it is reset or opened."""
    _turn(context, model, "closed")


@breakers.command()
def reset(context: typer.Context, model: _Model) -> None:
    """Leave it to how calls end again, with nothing counted so far."""
    _turn(context, model, "reset")


def _turn(context: typer.Context, model: str, status: BreakerTurn) -> None:
    session = _on_a_server(context)
    with session.open() as app:
        state = app.breakers.turn(model, status)
    if session.is_json:
        write_json(BreakerShape.of(state))
    else:
        _write(session, [state])


def _on_a_server(context: typer.Context) -> Session:
    """Return the session, which must be on a server: this process ends before its breakers have seen anything."""
    session: Session = context.obj
    if not session.settings.server:
        raise typer.BadParameter("breakers are a running server's: say which one", param_hint="--server")
    return session


def _write(session: Session, states: Sequence[BreakerState]) -> None:
    columns = [
        Column("model", is_free=True),
        Column("status"),
        Column("calls", is_number=True),
        Column("failures", is_number=True),
        Column("refused", is_number=True),
        Column("tries again"),
        Column("since (UTC)", is_detail=True),
    ]
    rows = [
        (
            state.model,
            f"{state.status} by hand" if state.is_forced else state.status,
            count(state.calls),
            count(state.failures),
            count(state.refused),
            _tries_again(state),
            moment(state.since),
        )
        for state in states
    ]
    write_table(session, columns, rows, empty="no calls yet, so there are no breakers")


def _tries_again(state: BreakerState) -> str:
    if state.status != "open":
        return UNKNOWN
    return "when reset" if state.tries_again_in_s is None else f"in {state.tries_again_in_s:.0f} s"
