"""`cuewire users`: who has a role on the server."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from cuewire.cli.access import with_database
from cuewire.cli.output import Column, note, program, write, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import moment
from cuewire.model.actors import ROLES, check_role
from cuewire.model.users import User

users = typer.Typer(help="Users of the server: add, list, give a role, disable.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="the user's name")]
_Role = Annotated[str, typer.Argument(help=f"one of {', '.join(ROLES)}")]


@users.command()
def add(
    context: typer.Context,
    name: _Name,
    role: Annotated[str, typer.Option(metavar="ROLE", help=f"one of {', '.join(ROLES)}")] = "viewer",
) -> None:
    """Add a user, who has no key yet."""
    session: Session = context.obj
    user = with_database(session, lambda app: app.users.add(name, role=check_role(role), by=app.actor), what="users")
    _tell(session, user, f"{user.name} is {_an(user)}")
    note(session, f"give them a key with: {program()} keys create NAME --user {user.name}")


@users.command("list")
def list_(context: typer.Context) -> None:
    """List users by name."""
    session: Session = context.obj
    found = with_database(session, lambda app: app.users.list(by=app.actor), what="users")
    if session.is_json:
        write_json({"items": [_shown(user) for user in found]})
        return
    columns = [Column("name", is_free=True), Column("role"), Column("added (UTC)"), Column("disabled (UTC)")]
    table = [(user.name, user.role, moment(user.created_at), moment(user.disabled_at)) for user in found]
    write_table(session, columns, table, empty=f"no users; add one with: {program()} users add NAME")


@users.command()
def role(context: typer.Context, name: _Name, role: _Role) -> None:
    """Give a user another role; their keys have it within a second."""
    session: Session = context.obj
    user = with_database(session, lambda app: app.users.change(name, role=check_role(role), by=app.actor), what="users")
    _tell(session, user, f"{user.name} is {_an(user)}")


@users.command()
def disable(context: typer.Context, name: _Name) -> None:
    """Disable a user: within a second their keys open nothing, until they are enabled."""
    session: Session = context.obj
    user = with_database(session, lambda app: app.users.change(name, disabled=True, by=app.actor), what="users")
    _tell(session, user, f"the keys of {user.name} open nothing any more")


@users.command()
def enable(context: typer.Context, name: _Name) -> None:
    """Enable a user that was disabled."""
    session: Session = context.obj
    user = with_database(session, lambda app: app.users.change(name, disabled=False, by=app.actor), what="users")
    _tell(session, user, f"{user.name} is {_an(user)} again")


def _tell(session: Session, user: User, text: str) -> None:
    if session.is_json:
        write_json(_shown(user))
    else:
        write(f"{text}\n")


def _an(user: User) -> str:
    return f"an {user.role}" if user.role[0] in "ae" else f"a {user.role}"


def _shown(user: User) -> dict[str, object]:
    return msgspec.structs.asdict(user)
