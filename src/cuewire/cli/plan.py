"""`cuewire plan`: what a run may lead to, before anything is called."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from cuewire.cli.inputs import parse_inputs, parse_parameters
from cuewire.cli.output import Column, write, write_json, write_table
from cuewire.cli.prompt_options import Configuration, InputsFile, Language, Models, Variables
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, usd
from cuewire.model.plans import Plan
from cuewire.wire.candidates import PlanShape


def plan(
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(help="name, name@label or name@7; a bare name means name@production")],
    variable: Variables = None,
    inputs: InputsFile = None,
    model: Models = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="a model parameter, instead of the version's")
    ] = None,
    configuration: Configuration = None,
    strategy: Annotated[
        str | None, typer.Option(metavar="NAME", help="a strategy, whose own prompt runs if it has one")
    ] = None,
    language: Language = None,
) -> None:
    """Show what a run may lead to: its candidates, each with the reason, and how many calls and how much money at most.

    Nothing is called and nothing is recorded. What a run would refuse before its first call is refused here.
    """
    session: Session = context.obj
    given = parse_inputs(variable or (), inputs)
    with session.open() as app:
        found = app.plan(
            prompt,
            given,
            models=model or (),
            parameters=parse_parameters(param or ()) or None,
            configuration=configuration,
            strategy=strategy,
            language=language,
        )
    show_plan(session, found)


def show_plan(session: Session, plan: Plan) -> None:
    """Show a plan: its candidates as a table, then what bounds it."""
    if session.is_json:
        write_json(PlanShape.of(plan))
        return
    columns = [
        Column("candidate", is_number=True),
        Column("group", is_number=True),
        Column("model", is_free=True),
        Column("parameters", is_free=True),
        Column("reason", is_free=True),
        Column("fallbacks", is_free=True, is_detail=True),
    ]
    rows = [
        (
            str(candidate.index),
            str(candidate.group),
            str(candidate.model),
            ", ".join(f"{name}={_json(value)}" for name, value in sorted(candidate.parameters.items())) or UNKNOWN,
            candidate.reason,
            ", ".join(map(str, candidate.fallbacks)) or UNKNOWN,
        )
        for candidate in plan.candidates
    ]
    write_table(session, columns, rows, empty="no candidates")
    cost = "cost not known" if plan.max_usd is None else f"at most {usd(plan.max_usd)}"
    calls = "1 call" if plan.max_calls == 1 else f"{plan.max_calls} calls"
    write("\n".join(["", f"at most {calls}, {cost}", *(f"note: {note}" for note in plan.notes)]) + "\n")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
