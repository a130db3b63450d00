"""`cuewire run`: run a prompt, and show its answer as it arrives."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from cuewire.cli.inputs import parse_inputs, parse_parameters
from cuewire.cli.output import note, tell, write, write_json
from cuewire.cli.plan import show_plan
from cuewire.cli.prompt_options import Configuration, InputsFile, Language, Models, Variables
from cuewire.cli.session import Session
from cuewire.cli.text import count, milliseconds, usd
from cuewire.cli.work_lines import answer_lines, chosen

if TYPE_CHECKING:
    from cuewire.blocking import BlockingApp
    from cuewire.model.results import Result


def run(
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(help="name, name@label or name@7; a bare name means name@production")],
    variable: Variables = None,
    inputs: InputsFile = None,
    model: Models = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="a model parameter, instead of the version's")
    ] = None,
    idempotency_key: Annotated[
        str | None, typer.Option(metavar="KEY", help="run at most once under this key; again gives the stored answer")
    ] = None,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="give up after so long, all told")] = None,
    strategy: Annotated[
        str | None, typer.Option(metavar="NAME", help="a strategy, whose own prompt runs if it has one")
    ] = None,
    language: Language = None,
    configuration: Configuration = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="show what it may lead to, as `cuewire plan` does, and call nothing")
    ] = False,
    no_stream: Annotated[bool, typer.Option("--no-stream", help="show the answer when it is complete")] = False,
) -> None:
    """Run a prompt.

    On a terminal the answer appears as it arrives. In a pipe stdout holds the answer and nothing else: the value
    where the version promises one (a choice, a number, a date, JSON), else the text.
    """
    session: Session = context.obj
    given = parse_inputs(variable or (), inputs)
    options: dict[str, Any] = {
        "models": model or (),
        "parameters": parse_parameters(param or ()) or None,
        "idempotency_key": idempotency_key,
        "timeout_s": timeout,
        "strategy": strategy,
        "language": language,
        "configuration": configuration,
    }
    with session.open() as app:
        if dry_run:
            show_plan(session, app.plan(prompt, given, **options))
            return
        if session.is_live and not no_stream:
            result = _show_live(app, prompt, given, options)
        else:
            result = app.run(prompt, given, **options)
            if session.is_json:
                write_json(result)
            else:
                write(_shown(result) + "\n")
    if result.warning:
        tell(session, f"not valid: {result.warning}")
    note(session, "\n".join([*(answer_lines(result) if model and len(model) > 1 else ()), _summary(result)]))


def _show_live(app: BlockingApp, prompt: str, inputs: dict[str, Any], options: dict[str, Any]) -> Result:
    stream = app.stream(prompt, inputs, **options)
    last = "\n"
    try:
        for piece in stream:
            last = piece.text  # before it shows: Ctrl-C may come in between
            write(piece.text)
    finally:
        if not last.endswith("\n"):
            sys.stdout.write("\n")
    return stream.result()


def _shown(result: Result) -> str:
    if result.tool_calls:
        return msgspec.json.encode(result.tool_calls).decode()
    return result.value if isinstance(result.value, str) else msgspec.json.encode(result.value).decode()


def _cached(result: Result) -> str:
    near = "" if result.similarity is None else f", asked {result.similarity:.3f} alike"
    return f"from the cache{near}"


def _summary(result: Result) -> str:
    """Return the line below an answer; it names the value where that is not simply the text."""
    parts = [] if _shown(result) == result.text else [f"= {_shown(result)}"]
    parts += [
        f"{result.prompt}@{result.version}",
        result.model,
        f"{count(result.usage.input_tokens)}+{count(result.usage.output_tokens)} tokens",
        f"cost {usd(result.cost_usd)}",
        milliseconds(result.duration_ms),
        *([] if result.valid else ["not valid"]),
        *(["stored earlier"] if result.stored else []),
        *([_cached(result)] if result.cached_from else []),
    ]
    return "\n".join(["  ".join(parts), *chosen(result), result.id])
