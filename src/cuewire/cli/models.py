"""`cuewire models`: which models the providers offer, and getting the bundled ones."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated, Literal

import typer

from cuewire.cli.output import Column, tell, write, write_json, write_table
from cuewire.cli.providers import Answered, ask
from cuewire.cli.session import Session
from cuewire.config import usable

models = typer.Typer(help="Which models there are, and getting the bundled ones.", no_args_is_help=True)


@models.command("list")
def list_(
    context: typer.Context,
    provider: Annotated[list[str] | None, typer.Argument(help="only those of these providers")] = None,
) -> None:
    """List the models of the providers that are ready for use."""
    session: Session = context.obj
    answers = asyncio.run(ask(session.settings, provider or usable(session.settings)))
    found = [f"{answer.name}/{model}" for answer in answers for model in answer.models]
    silent = [answer for answer in answers if answer.fault]
    if session.is_json:
        write_json({"items": found, "faults": {answer.name: answer.fault for answer in silent}})
    else:
        write_table(session, [Column("model", is_free=True)], [(model,) for model in found], empty="no models")
        for answer in silent:
            print(f"{answer.name}: {answer.fault}", file=sys.stderr)
    if any(is_asked_for(answer, provider) for answer in silent):
        raise typer.Exit(1)


def is_asked_for(answer: Answered, named: list[str] | None) -> bool:
    """Tell whether the provider was named on the command line, so that its silence is a failure."""
    return answer.name in (named or ())


@models.command()
def pull(
    context: typer.Context,
    model: Annotated[
        Literal["local", "embeddings"],
        typer.Argument(help="the chat model of the provider local, or its model for embeddings"),
    ] = "local",
) -> None:
    """Get a bundled model with this environment's installer, checked against its hash."""
    from cuewire.wiring import pull_local_embeddings, pull_local_model

    session: Session = context.obj
    fetch = pull_local_embeddings if model == "embeddings" else pull_local_model
    path = fetch(session.settings, lambda step: tell(session, f"the model: {step}"))
    if session.is_json:
        write_json({"path": str(path)})
    else:
        write(f"{path}\n")
