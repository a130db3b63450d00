"""`cuewire prompts edit`, `archive`, `restore` and `clone`: what is changed of a prompt beside its versions."""

from __future__ import annotations

from typing import Annotated

import typer

from cuewire.cli.output import write, write_json
from cuewire.cli.prompt_labels import tell_version
from cuewire.cli.prompt_lines import prompt_lines
from cuewire.cli.prompt_options import (
    Category,
    Description,
    Language,
    Name,
    Strategy,
    Tags,
    Type,
    details,
    home_of,
)
from cuewire.cli.session import Session
from cuewire.model.prompts import Prompt
from cuewire.model.references import DEFAULT_LABEL
from cuewire.wire.prompts import PromptShape


def edit(
    context: typer.Context,
    name: Name,
    description: Description = None,
    template_type: Type = None,
    category: Category = None,
    tag: Tags = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="whether it runs", show_default=False)
    ] = None,
    strategy: Strategy = None,
    language: Language = None,
) -> None:
    """Change what is said of a prompt.

    What is not given stays as it is.
    """
    session: Session = context.obj
    options = details(description=description, template_type=template_type, category=category, tags=tag)
    if active is not None:
        options["status"] = "active" if active else "inactive"
    if not options:
        raise typer.BadParameter("say what to change, as in --description or --inactive")
    with session.open() as app:
        prompt = app.prompts.edit(name, **options, **home_of(strategy, language))
    _tell(session, prompt, "\n".join(prompt_lines(prompt)))


def archive(context: typer.Context, name: Name, strategy: Strategy = None, language: Language = None) -> None:
    """Archive a prompt: it keeps its history and no longer runs."""
    session: Session = context.obj
    with session.open() as app:
        prompt = app.prompts.archive(name, **home_of(strategy, language))
    _tell(session, prompt, f"{prompt.name} is archived")


def restore(context: typer.Context, name: Name, strategy: Strategy = None, language: Language = None) -> None:
    """Bring an archived prompt back."""
    session: Session = context.obj
    with session.open() as app:
        prompt = app.prompts.restore(name, **home_of(strategy, language))
    _tell(session, prompt, f"{prompt.name} is active again")


def clone(
    context: typer.Context,
    name: Name,
    new: Annotated[str, typer.Argument(help="the name of the new prompt")],
    to_strategy: Annotated[str | None, typer.Option(metavar="NAME", help="the strategy of the new prompt")] = None,
    to_language: Annotated[str | None, typer.Option(metavar="TAG", help="the language of the new prompt")] = None,
    strategy: Strategy = None,
    language: Language = None,
) -> None:
    """Make a new prompt of what this one says.

    It begins with the version in production, else the newest, as its version 1.
    """
    session: Session = context.obj
    with session.open() as app:
        version = app.prompts.clone(name, new, source=home_of(strategy, language), **home_of(to_strategy, to_language))
        tell_version(session, app, version, asked=[DEFAULT_LABEL])


def _tell(session: Session, prompt: Prompt, text: str) -> None:
    if session.is_json:
        write_json(PromptShape.of(prompt))
    else:
        write(f"{text}\n")
