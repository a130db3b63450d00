"""`cuewire configurations`: environments with parameters, each over those of its parent."""

from __future__ import annotations

from typing import Annotated

import typer

from cuewire.cli.inputs import parse_parameters
from cuewire.cli.scopes import Description, Name, NewName, Param, tell, tell_all, tell_removed
from cuewire.cli.session import Session
from cuewire.model.scopes import ScopeOptions

configurations = typer.Typer(
    help="Configurations, which are environments with parameters: add, list, set, remove.", no_args_is_help=True
)

_Parent = Annotated[str | None, typer.Option(metavar="NAME", help="says what it does not say itself; '' for none")]
_Default = Annotated[bool, typer.Option("--default", help="it is the one that holds where none is named")]


@configurations.command("list")
def list_(context: typer.Context) -> None:
    """List configurations by name, each with the parameters that hold."""
    session: Session = context.obj
    with session.open() as app:
        found = app.configurations.list()
    tell_all(session, found, empty="no configurations yet; add one with: cuewire configurations add NAME")


@configurations.command()
def add(
    context: typer.Context,
    name: NewName,
    description: Description = None,
    param: Param = None,
    parent: _Parent = None,
    default: _Default = False,
) -> None:
    """Add a configuration."""
    session: Session = context.obj
    options = _said(description, parent, default)
    options["parameters"] = parse_parameters(param or ())
    with session.open() as app:
        added = app.configurations.add(name, **options)
    tell(session, added)


@configurations.command()
def show(context: typer.Context, name: Name) -> None:
    """Show a configuration with the parameters that hold, and which of them its parent says."""
    session: Session = context.obj
    with session.open() as app:
        found = app.configurations.get(name)
    tell(session, found)


@configurations.command("set")
def set_(
    context: typer.Context,
    name: Name,
    description: Description = None,
    param: Param = None,
    drop: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="a parameter that it no longer says itself")
    ] = None,
    parent: _Parent = None,
    default: _Default = False,
) -> None:
    """Change what is given; other parameters stay as they are."""
    session: Session = context.obj
    options, given, dropped = _said(description, parent, default), parse_parameters(param or ()), {*(drop or ())}
    with session.open() as app:
        if given or dropped:
            own = {**app.configurations.get(name).parameters, **given}
            options["parameters"] = {key: value for key, value in own.items() if key not in dropped}
        changed = app.configurations.edit(name, **options)
    tell(session, changed)


@configurations.command()
def remove(context: typer.Context, name: Name) -> None:
    """Remove a configuration that is nobody's parent."""
    session: Session = context.obj
    with session.open() as app:
        app.configurations.remove(name)
    tell_removed(session, name)


def _said(description: str | None, parent: str | None, is_default: bool) -> ScopeOptions:
    said: ScopeOptions = {}
    if description is not None:
        said["description"] = description
    if parent is not None:
        said["parent"] = parent or None
    if is_default:
        said["is_default"] = True
    return said
