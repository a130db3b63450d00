"""`cuewire prompts`: publish versions, look at them, compare them, roll them out and back."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from cuewire.cli.inputs import parse_inputs
from cuewire.cli.output import Column, note, write, write_json, write_table
from cuewire.cli.prompt_lines import diff_lines, labels, prompt_lines, scope, version_lines
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
from cuewire.cli.text import UNKNOWN, moment
from cuewire.model.errors import LabelNotFound, NotFound
from cuewire.model.pages import MAX_PAGE
from cuewire.model.prompts import Prompt, PromptFilter, PromptSort, PromptStatus, PromptVersion
from cuewire.model.references import DEFAULT_LABEL, DEFAULT_LANGUAGE, check_language
from cuewire.wire.diffs import DiffShape
from cuewire.wire.prompts import PromptDetailShape, PromptPage
from cuewire.wire.versions import VersionList, VersionShape

if TYPE_CHECKING:
    from cuewire.blocking import BlockingApp
    from cuewire.model.prompts import Home

prompts = typer.Typer(help="Publish prompts, look at them, roll them out and back.", no_args_is_help=True)

StatusName = StrEnum("StatusName", [(name, name) for name in get_args(PromptStatus)])  # type: ignore[misc]  # names are data
SortName = StrEnum(  # type: ignore[misc]  # the names are data
    "SortName", [(name, name) for sort in get_args(PromptSort) for name in (sort, f"-{sort}")]
)


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
        **version_options(model=model, output=output, param=param, note=note_text, lenient=lenient),
        **details(description=description, template_type=template_type, category=category, tags=tag),
        **home_of(strategy, language),
    }
    with session.open() as app:
        version = app.prompts.publish(name, source.content, labels=label or (), publish=release, new=new, **options)
    _tell(session, version, verb="is")
    if DEFAULT_LABEL in version.labels:
        return
    where = flags(strategy=version.strategy, language=_said_language(version))
    if release:
        note(
            session, f"{DEFAULT_LABEL} is protected: see what it waits for with: cuewire reviews list {version.prompt}"
        )
    else:
        note(
            session, f"roll it out with: cuewire prompts label {version.prompt} {DEFAULT_LABEL} {version.number}{where}"
        )


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
        **version_options(model=model, output=output, param=param, note=note_text, lenient=lenient),
        **home_of(strategy, language),
    }
    with session.open() as app:
        version = app.prompts.draft(name, number, source.content if source else None, labels=label or (), **options)
    _tell(session, version, verb="is")


@prompts.command("list")
def list_(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="list the versions of this prompt, newest first")] = None,
    template_type: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="only those of this type")] = None,
    language: Annotated[str | None, typer.Option(metavar="TAG", help="only those in this language")] = None,
    strategy: Annotated[str | None, typer.Option(metavar="NAME", help="only those of this strategy")] = None,
    status: Annotated[
        StatusName | None, typer.Option(metavar="STATUS", help="only those that are active, inactive or archived")
    ] = None,
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="only those with this tag")] = None,
    search: Annotated[
        str, typer.Option(metavar="TEXT", help="only those with this in their name, description or category")
    ] = "",
    sort: Annotated[
        SortName | None,
        typer.Option(metavar="ORDER", help=f"{', '.join(get_args(PromptSort))}; with - in front the other way round"),
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="how many", min=1, max=MAX_PAGE)] = 100,
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="go on where an earlier list ended")] = None,
    page: Annotated[int | None, typer.Option(metavar="N", help="the page of this number, from 1", min=1)] = None,
) -> None:
    """List prompts, or the versions of one.

    Archived prompts are listed only if they are asked for with --status.
    """
    session: Session = context.obj
    if page is not None and after is not None:
        raise typer.BadParameter("a list is either paged or continued after a cursor", param_hint="--page")
    order = sort.value if sort else "name"
    wanted = PromptFilter(
        status=cast("PromptStatus | None", status.value if status else None),
        template_type=template_type,
        language=None if language is None else check_language(language),
        tag=tag,
        strategy=strategy,
        text=search,
        sort=cast("PromptSort", order.removeprefix("-")),
        descending=order.startswith("-"),
    )
    with session.open() as app:
        if name is not None:
            _list_versions(session, app.prompts.versions(name, **home_of(strategy, language)))
            return
        found = app.prompts.list(limit=limit, after=after, page=page, wanted=wanted)
    if session.is_json:
        write_json(PromptPage.of(found, number=page, size=limit))
        return
    _list_prompts(session, found.items)
    if found.next:
        note(session, f"there are more: the same with {f'--page {page + 1}' if page else f'--after {found.next}'}")


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
    _tell(session, version, verb="is now")


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
                hint=f"see its labels with: cuewire prompts show {prompt.name}",
            )
    return [int(word) if word.isdecimal() else prompt.labels[word] for word in words]


def _tell(session: Session, version: PromptVersion, *, verb: str) -> None:
    if session.is_json:
        write_json(VersionShape.of(version))
    else:
        write(f"{version.prompt}@{version.number} {verb} {', '.join(version.labels) or 'without a label'}\n")


def _list_prompts(session: Session, found: Sequence[Prompt]) -> None:
    columns = [
        *(Column("name", is_free=True), Column("type"), Column("language"), Column("scope", is_free=True)),
        *(Column("version", is_number=True), Column("status"), Column("labels", is_free=True, is_detail=True)),
        Column("changed (UTC)", is_detail=True),
    ]
    rows = [
        (
            *(prompt.name, prompt.template_type, prompt.language, scope(prompt)),
            *(str(prompt.labels.get(DEFAULT_LABEL, UNKNOWN)), prompt.status, labels(prompt.labels)),
            moment(prompt.updated_at),
        )
        for prompt in found
    ]
    write_table(session, columns, rows, empty="no prompts; publish one with: cuewire prompts publish NAME FILE")


def _list_versions(session: Session, versions: Sequence[PromptVersion]) -> None:
    if session.is_json:
        write_json(VersionList.of(versions))
        return
    columns = [
        *(Column("version", is_number=True), Column("labels"), Column("model"), Column("made (UTC)")),
        *(Column("by", is_detail=True), Column("note", is_free=True)),
    ]
    rows = [
        (
            *(str(version.number), ", ".join(version.labels) or UNKNOWN, version.model or UNKNOWN),
            *(moment(version.created_at), version.author or UNKNOWN, version.note),
        )
        for version in versions
    ]
    write_table(session, columns, rows, empty="no versions")


def _said_language(version: PromptVersion) -> str | None:
    return None if version.language == DEFAULT_LANGUAGE else version.language
