"""`cuewire strategies`: what has prompts of its own beside the global ones."""

from __future__ import annotations

import typer

from cuewire.cli.inputs import parse_parameters
from cuewire.cli.scopes import Description, Name, NewName, Param, tell, tell_all, tell_removed
from cuewire.cli.session import Session

strategies = typer.Typer(help="Strategies, which have prompts of their own: add, list, remove.", no_args_is_help=True)


@strategies.command("list")
def list_(context: typer.Context) -> None:
    """List strategies by name."""
    session: Session = context.obj
    with session.open() as app:
        found = app.strategies.list()
    tell_all(session, found, empty="no strategies yet; add one with: cuewire strategies add NAME")


@strategies.command()
def add(context: typer.Context, name: NewName, description: Description = None, param: Param = None) -> None:
    """Add a strategy."""
    session: Session = context.obj
    with session.open() as app:
        added = app.strategies.add(name, description=description or "", parameters=parse_parameters(param or ()))
    tell(session, added)


@strategies.command()
def show(context: typer.Context, name: Name) -> None:
    """Show a strategy with its parameters."""
    session: Session = context.obj
    with session.open() as app:
        found = app.strategies.get(name)
    tell(session, found)


@strategies.command()
def remove(context: typer.Context, name: Name) -> None:
    """Remove a strategy that has no prompts."""
    session: Session = context.obj
    with session.open() as app:
        app.strategies.remove(name)
    tell_removed(session, name)
