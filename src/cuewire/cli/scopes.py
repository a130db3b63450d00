"""How strategies and configurations are told: as a table, or one with its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
import typer

from cuewire.cli.output import Column, write, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, moment
from cuewire.model.scopes import Scope

Name = Annotated[str, typer.Argument(help="its name, or its id")]
NewName = Annotated[str, typer.Argument(help="its name, as in swing-trading")]
Description = Annotated[str | None, typer.Option(metavar="TEXT", help="what it is for")]
Param = Annotated[
    list[str] | None, typer.Option(metavar="NAME=VALUE", help="a parameter, such as risk=0.02; may be repeated")
]


def tell_all(session: Session, scopes: Sequence[Scope], *, empty: str) -> None:
    """Write scopes as a table."""
    if session.is_json:
        write_json({"items": scopes})
        return
    columns = [
        Column("name", is_free=True),
        Column("parent"),
        Column("parameters", is_free=True),
        Column("description", is_free=True, is_detail=True),
    ]
    rows = [
        (
            f"{scope.name} (default)" if scope.is_default else scope.name,
            scope.parent or UNKNOWN,
            ", ".join(f"{name}={_json(value)}" for name, value in sorted(scope.effective.items())) or UNKNOWN,
            scope.description,
        )
        for scope in scopes
    ]
    write_table(session, columns, rows, empty=empty)


def tell(session: Session, scope: Scope) -> None:
    """Write one scope with all that is said of it."""
    if session.is_json:
        write_json(scope)
    else:
        write("\n".join(_lines(scope)) + "\n")


def tell_removed(session: Session, name: str) -> None:
    """Say that a scope is gone."""
    if session.is_json:
        write_json({"removed": name})
    else:
        write(f"{name} is removed\n")


def _lines(scope: Scope) -> Iterator[str]:
    yield f"{scope.name}{' (default)' if scope.is_default else ''}"
    if scope.description:
        yield f"about    {scope.description}"
    if scope.parent:
        yield f"parent   {scope.parent}"
    yield f"changed  {moment(scope.updated_at)} UTC"
    for name, value in sorted(scope.effective.items()):
        from_parent = "" if name in scope.parameters else "  (of its parent)"
        yield f"param    {name} = {_json(value)}{from_parent}"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
