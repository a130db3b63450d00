"""`cuewire types`: the types of templates, each with the inputs that its templates usually read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from cuewire.cli.inputs import read_json
from cuewire.cli.output import Column, write, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN
from cuewire.model.errors import TemplateTypeNotFound
from cuewire.model.template_types import CatalogueVariable, TemplateType
from cuewire.wire.strict_json import convert
from cuewire.wire.templates import TemplateTypeList, TemplateTypeRequest, TemplateTypeShape

template_types = typer.Typer(
    help="Types of templates, each with the inputs that its templates usually read: list, show, set.",
    no_args_is_help=True,
)

_Name = Annotated[str, typer.Argument(help="its name, as in analysis")]


@template_types.command("list")
def list_(context: typer.Context) -> None:
    """List types by name."""
    session: Session = context.obj
    with session.open() as app:
        found = app.templates.types()
    if session.is_json:
        write_json(TemplateTypeList.of(found))
        return
    columns = [Column("type"), Column("inputs", is_free=True), Column("description", is_free=True, is_detail=True)]
    rows = [
        (kind.name, ", ".join(variable.name for variable in kind.variables) or UNKNOWN, kind.description)
        for kind in found
    ]
    write_table(session, columns, rows, empty="no types; add one with: cuewire types set NAME FILE")


@template_types.command()
def show(context: typer.Context, name: _Name) -> None:
    """Show a type with all its inputs."""
    session: Session = context.obj
    with session.open() as app:
        found = next((kind for kind in app.templates.types() if kind.name == name), None)
    if found is None:
        raise TemplateTypeNotFound(f"there is no type of templates {name[:128]!r}", hint="see: cuewire types list")
    _tell(session, found)


@template_types.command("set")
def set_(
    context: typer.Context,
    name: _Name,
    file: Annotated[str, typer.Argument(metavar="FILE", help="all that the type is, as JSON; - for stdin")],
) -> None:
    """Add a type, or say anew what one is.

    The file holds {"description", "variables"}, and each variable {"name", "json_schema", "aliases"}: the name alone
    will do.
    """
    session: Session = context.obj
    kind = convert(read_json(file, field="/type"), TemplateTypeRequest).kind(name)
    with session.open() as app:
        stored = app.templates.set_type(kind)
    _tell(session, stored)


def _tell(session: Session, kind: TemplateType) -> None:
    if session.is_json:
        write_json(TemplateTypeShape.of(kind))
    else:
        write("\n".join(_lines(kind)) + "\n")


def _lines(kind: TemplateType) -> Iterator[str]:
    yield kind.name
    if kind.description:
        yield f"about    {kind.description}"
    for variable in kind.variables:
        yield f"input    {_said(variable)}"


def _said(variable: CatalogueVariable) -> str:
    aliases = f", also {', '.join(variable.aliases)}" if variable.aliases else ""
    return f"{variable.name}{aliases}" + (f": {variable.description}" if variable.description else "")
