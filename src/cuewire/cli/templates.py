"""`cuewire prompts variables`, `validate` and `render`: templates before they are published."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from msgspec.structs import replace

from cuewire.cli.inputs import parse_inputs
from cuewire.cli.output import Column, note, write, write_json, write_table
from cuewire.cli.prompt_lines import message_lines
from cuewire.cli.prompt_options import InputsFile, Language, Strategy, System, Template, Type, Variables, home_of
from cuewire.cli.prompt_sources import Source, is_source, read_source
from cuewire.cli.session import Session
from cuewire.cli.text import count, printable
from cuewire.model.analyses import Analysis, Preview, Problem
from cuewire.model.errors import InvalidInput
from cuewire.wire.templates import AnalysisShape, PreviewShape
from cuewire.wire.versions import VariablesShape

INVALID = 4
"""The exit code for what cannot be used, as for errors of input."""


def variables(context: typer.Context, file: Template, system: System = None) -> None:
    """List the variables of a template; nothing is stored."""
    session: Session = context.obj
    source = read_source(file, system=system)
    with session.open() as app:
        found = app.prompts.variables(source.content)
    if session.is_json:
        write_json(VariablesShape.of(found))
        return
    rows = [(name, variable.kind, "yes" if variable.required else "no") for name, variable in found.items()]
    columns = [Column("variable", is_free=True), Column("kind"), Column("required")]
    write_table(session, columns, rows, empty="it reads no variables")


def validate(
    context: typer.Context,
    file: Template,
    system: System = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="the prompt that it is for")] = "",
    template_type: Type = None,
    strategy: Strategy = None,
    language: Language = None,
) -> None:
    """Tell all that is wrong with a template.

    Each error and warning has a line of its own, which begins with its place. The exit code is 4 if the template could
    not be published. Nothing is stored.
    """
    session: Session = context.obj
    source = read_source(file, system=system)
    said = source.options
    kind, declared = template_type or said.get("template_type"), said.get("variables", {})
    home = home_of(strategy or said.get("strategy"), language or said.get("language"))
    with session.open() as app:
        found = app.templates.analyse(source.content, name=name, variables=declared, template_type=kind, **home)
    found = replace(found, problems=(*_of_settings(source), *found.problems))
    if session.is_json:
        write_json(AnalysisShape.of(found, is_compared=bool(declared) or kind is not None))
    else:
        _write_analysis(session, source, found)
    if not found.is_valid:
        raise typer.Exit(INVALID)


def render(
    context: typer.Context,
    what: Annotated[str, typer.Argument(metavar="FILE|NAME@REF", help="a file, - for stdin; or a published version")],
    variable: Variables = None,
    inputs: InputsFile = None,
    examples: Annotated[
        bool, typer.Option("--examples", help="missing inputs take their examples, where they have some")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="refuse inputs that a run would refuse, and show what it would send")
    ] = False,
    system: System = None,
    template_type: Type = None,
    strategy: Strategy = None,
    language: Language = None,
) -> None:
    """Show how a template looks with some inputs.

    Nothing is run. What is missing stands as \u27e6name\u27e7, and what a run would refuse is told on stderr. A word is
    taken for a file if there is one of the name.
    """
    session: Session = context.obj
    given = parse_inputs(variable or (), inputs)
    source = read_source(what, system=system) if is_source(what) else None
    if source is None and (system or template_type):
        raise typer.BadParameter(
            f"it goes with a file, and there is none called {what[:80]!r}",
            param_hint="--system" if system else "--type",
        )
    with session.open() as app:
        if source is None:
            shown = app.templates.preview_version(
                what, given, strict=strict, examples=examples, **home_of(strategy, language)
            )
        else:
            said = source.options
            shown = app.templates.preview(
                source.content,
                given,
                variables=said.get("variables", {}),
                lenient=said.get("lenient", False),
                strict=strict,
                examples=examples,
                template_type=template_type or said.get("template_type"),
                **home_of(strategy or said.get("strategy"), language or said.get("language")),
            )
    if session.is_json:
        write_json(PreviewShape.of(shown))
    else:
        _write_preview(session, shown)


def _of_settings(source: Source) -> Sequence[Problem]:
    """Return what is wrong with what a prompt file says beside its messages and variables."""
    if source.file is None:
        return ()
    from cuewire.registry.statements import check

    try:
        check(replace(source.file, prompt="unnamed", variables={}))
    except InvalidInput as error:
        return (Problem(code=error.code, message=error.message, hint=error.hint),)
    return ()


def _write_analysis(session: Session, source: Source, found: Analysis) -> None:
    for kind, color, problems in (("error", "red", found.problems), ("warning", "yellow", found.warnings)):
        label = typer.style(f"{kind}:", fg=color, bold=True) if session.colors_stdout else f"{kind}:"
        for problem in problems:
            hint = f"; {problem.hint}" if problem.hint else ""
            place, text = printable(source.place(problem)), " ".join(printable(problem.message + hint).split())
            sys.stdout.write(f"{place}: {label} {text}\n")
    if found.is_valid:
        reads = ", ".join(found.inputs) or "no inputs"
        note(
            session, f"it can be published; it reads {reads}, and takes about {count(found.tokens)} tokens without them"
        )


def _write_preview(session: Session, shown: Preview) -> None:
    match shown.messages:
        case (message,) if message.role == "user":
            write(message.text + "\n")
        case messages:
            write("\n\n".join("\n".join(message_lines(each.role, each.text)) for each in messages) + "\n")
    for problem in shown.warnings:
        print(f"warning: {printable(problem.message)}", file=sys.stderr)
    note(session, f"about {count(shown.tokens)} tokens")
