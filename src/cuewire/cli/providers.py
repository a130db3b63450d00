"""`cuewire providers`: whether the configured providers answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from cuewire.cli.output import Column, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, one_line
from cuewire.config import Settings, usable
from cuewire.config.providers import Endpoint
from cuewire.model.errors import CuewireError
from cuewire.model.values import Value

providers = typer.Typer(help="Whether the configured providers answer.", no_args_is_help=True)


class Answered(Value, frozen=True):
    """What a provider said when asked for its models; `fault` is empty if it answered."""

    name: str
    models: tuple[str, ...] = ()
    fault: str = ""


@providers.command()
def check(
    context: typer.Context,
    provider: Annotated[list[str] | None, typer.Argument(help="these; else all that are ready for use")] = None,
) -> None:
    """Ask providers for their models: free of charge, and it proves address and key."""
    session: Session = context.obj
    settings = session.settings
    answers = asyncio.run(ask(settings, provider or usable(settings)))
    if session.is_json:
        write_json({"items": answers})
    else:
        columns = [
            Column("provider"),
            Column("answer"),
            Column("key", is_detail=True),
            Column("what it said", is_free=True),
        ]
        rows = [_row(answer, settings.endpoints.get(answer.name)) for answer in answers]
        write_table(session, columns, rows, empty="no provider is ready for use; see: cuewire config show")
    if any(answer.fault for answer in answers):
        raise typer.Exit(1)


async def ask(settings: Settings, names: Sequence[str]) -> list[Answered]:
    """Ask the providers for their models, side by side."""
    from cuewire.wiring import open_providers

    pool = open_providers(settings)

    async def one(name: str) -> Answered:
        try:
            models = await pool.get(name).models()
        except CuewireError as error:
            return Answered(name=name, fault=str(error))
        return Answered(name=name, models=tuple(models))

    try:
        return [*await asyncio.gather(*map(one, names))]
    finally:
        await pool.close()


def _row(answer: Answered, endpoint: Endpoint | None) -> tuple[str, ...]:
    said = answer.fault or f"{len(answer.models)} model{'s' if len(answer.models) != 1 else ''}"
    return (
        answer.name,
        "fault" if answer.fault else "ok",
        endpoint.key_source if endpoint and endpoint.key else UNKNOWN,
        one_line(said, width=300),
    )
