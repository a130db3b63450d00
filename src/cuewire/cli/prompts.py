"""`cuewire prompts`: publish versions, look at them, compare them, roll them out and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cuewire.cli.inputs import parse_inputs
from cuewire.cli.output import note, write, write_json
from cuewire.cli.prompt_labels import tell_version, to_label
from cuewire.cli.prompt_lines import diff_lines, prompt_lines, version_lines
from cuewire.cli.prompt_options import (
    Category,
    Description,
    InputsFile,
    Labels,
    Language,
    Lenient,
    Model,
    Name,
    Note,
    Output,
    Param,
    Policy,
    Strategy,
    System,
    Tags,
    Template,
    Type,
    Variables,
    details,
    flags,
    home_of,
    version_options,
)
from cuewire.cli.prompt_sources import read_source
from cuewire.cli.session import Session
from cuewire.model.errors import LabelNotFound, NotFound
from cuewire.model.prompts import Prompt, PromptVersion
from cuewire.model.references import DEFAULT_LABEL
from cuewire.wire.diffs import DiffShape
from cuewire.wire.prompts import PromptDetailShape
from cuewire.wire.versions import VersionShape

if TYPE_CHECKING:
    from cuewire.blocking import BlockingApp
    from cuewire.model.prompts import Home

prompts = typer.Typer(help="Publish prompts, look at them, roll them out and back.", no_args_is_help=True)


@prompts.command()
def publish(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="the prompt's name; it is made if it does not exist")],
    file: Template,
    label: Labels = None,
    model: Model = None,
    system: System = None,
    output: Output = None,
    param: Param = None,
    note_text: Note = None,
    lenient: Lenient = False,
    policy: Policy = None,
    description: Description = None,
    template_type: Type = None,
    category: Category = None,
    tag: Tags = None,
    strategy: Strategy = None,
    language: Language = None,
    new: Annotated[bool, typer.Option("--new", help="there must be no such prompt yet")] = False,
    release: Annotated[bool, typer.Option("--publish", help="give it the label production at once")] = False,
) -> None:
    """Store a new immutable version.

    The first version of a prompt gets the label production; later ones only with --publish, or afterwards with
    `prompts label`. Publishing what the newest version already says adds nothing. What a prompt file says of the
    version and the prompt holds, unless an option says otherwise.
    """
    session: Session = context.obj
    source = read_source(file, system=system)
    options = {
        **source.options,
        **version_options(model=model, output=output, param=param, note=note_text, lenient=lenient, policy=policy),
        **details(description=description, template_type=template_type, category=category, tags=tag),
        **home_of(strategy, language),
    }
    with session.open() as app:
        version = app.prompts.publish(name, source.content, labels=label or (), publish=release, new=new, **options)
        released = [DEFAULT_LABEL] if release or version.number == 1 else []
        tell_version(session, app, version, asked=[*(label or ()), *released])
    if not released and DEFAULT_LABEL not in version.labels:
        note(session, f"roll it out with: {to_label(version, DEFAULT_LABEL)}")


@prompts.command()
def draft(
    context: typer.Context,
    name: Name,
    number: Annotated[int, typer.Argument(help="the version that it is made from")],
    file: Annotated[
        str | None, typer.Argument(help="the template, if it is another one; a prompt file says more than that")
    ] = None,
    label: Labels = None,
    model: Model = None,
    system: System = None,
    output: Output = None,
    param: Param = None,
    note_text: Note = None,
    lenient: Lenient = False,
    policy: Policy = None,
    strategy: Strategy = None,
    language: Language = None,
) -> None:
    """Store a version made from an earlier one.

    What is not given is as it is there; with nothing given it is that version once more, as the newest.
    """
    session: Session = context.obj
    if system is not None and file is None:
        raise typer.BadParameter("a system message goes before a template: give that too", param_hint="--system")
    source = read_source(file, system=system) if file is not None else None
    options = {
        **(source.options if source else {}),
        **version_options(model=model, output=output, param=param, note=note_text, lenient=lenient, policy=policy),
        **home_of(strategy, language),
    }
    with session.open() as app:
        version = app.prompts.draft(name, number, source.content if source else None, labels=label or (), **options)
        tell_version(session, app, version, asked=label or ())


@prompts.command()
def show(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="NAME[@REF]", help="name, name@label or name@7")],
    strategy: Strategy = None,
    language: Language = None,
) -> None:
    """Show a prompt, or a version.

    A bare name shows the prompt and the version that it runs, else the newest.
    """
    session: Session = context.obj
    home = home_of(strategy, language)
    with session.open() as app:
        prompt, version = _looked_up(app, reference, home)
    if session.is_json:
        write_json(PromptDetailShape.with_version(prompt, version) if prompt else VersionShape.of(version))
        return
    lines = [*prompt_lines(prompt), ""] if prompt else []
    write("\n".join([*lines, *version_lines(version)]) + "\n")


@prompts.command()
def label(
    context: typer.Context,
    name: Name,
    label: Annotated[str, typer.Argument(help="the label, such as production")],
    number: Annotated[int, typer.Argument(help="the version that gets it")],
    strategy: Strategy = None,
    language: Language = None,
) -> None:
    """Move a label to a version: the roll-out, and the way back."""
    session: Session = context.obj
    with session.open() as app:
        version = app.prompts.label(name, label, number, **home_of(strategy, language))
        tell_version(session, app, version, verb="is now")


@prompts.command()
def diff(
    context: typer.Context,
    name: Name,
    first: Annotated[str, typer.Argument(metavar="A", help="a version, by number or label")],
    second: Annotated[str, typer.Argument(metavar="B", help="the version that it is compared with")],
    variable: Variables = None,
    inputs: InputsFile = None,
    strategy: Strategy = None,
    language: Language = None,
) -> None:
    """Show what the second version says differently.

    With inputs it shows how the second comes out differently.
    """
    session: Session = context.obj
    home = home_of(strategy, language)
    given = parse_inputs(variable or (), inputs) if variable or inputs else None
    with session.open() as app:
        numbers = _numbers(app, name, (first, second), home)
        found = app.prompts.diff(name, *numbers, inputs=given, **home)
    if session.is_json:
        write_json(DiffShape.of(found))
        return
    lines = [*diff_lines(found)]
    if len(lines) == 2:
        note(session, f"version {found.first} and version {found.second} say the same")
        return
    colors = {"+": "green", "-": "red", "@": "cyan"} if session.colors_stdout else {}
    for line in lines:
        write(line + "\n", color=colors.get(line[:1]))


def _looked_up(app: BlockingApp, reference: str, home: Home) -> tuple[Prompt | None, PromptVersion]:
    """Return a version, and for a bare name its prompt. One that does not run has its newest version."""
    if "@" in reference:
        return None, app.prompts.get(reference, **home)
    try:
        version = app.prompts.get(reference, **home)
    except NotFound:
        prompt = app.prompts.find(reference, **home)
        versions = app.prompts.versions(str(prompt.id))
        runs = prompt.labels.get(DEFAULT_LABEL, prompt.versions)
        return prompt, next(version for version in versions if version.number == runs)
    return app.prompts.find(str(version.prompt_id)), version


def _numbers(app: BlockingApp, name: str, words: Sequence[str], home: Home) -> list[int]:
    """Return the numbers of versions that are told by number or label. Raises NotFound."""
    if all(word.isdecimal() for word in words):
        return [int(word) for word in words]
    prompt = app.prompts.find(name, **home)
    for word in words:
        if not word.isdecimal() and word not in prompt.labels:
            raise LabelNotFound(
                f"prompt {prompt.name!r} has no version labelled {word[:64]!r}",
                hint=f"see its labels with: cuewire prompts show {prompt.name}{flags(prompt)}",
            )
    return [int(word) if word.isdecimal() else prompt.labels[word] for word in words]
