"""`cuewire prompts`: publish versions, look at them, roll them out and back."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from typing import Annotated, Any

import msgspec
import typer

from cuewire.cli.inputs import parse_output_kind, parse_parameters, read_json, read_text
from cuewire.cli.output import Column, note, write, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, moment
from cuewire.model.errors import InvalidInput
from cuewire.model.outputs import ChoiceOutput, JsonOutput, OutputKind
from cuewire.model.pages import MAX_PAGE
from cuewire.model.prompts import DEFAULT_LABEL, Image, Message, PromptVersion, Variable

prompts = typer.Typer(help="Publish prompts, look at them, roll them out and back.", no_args_is_help=True)


@prompts.command()
def publish(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="the prompt's name; it is made if it does not exist")],
    file: Annotated[str, typer.Argument(help="the template, - for stdin; a .json file holds a list of messages")],
    label: Annotated[
        list[str] | None, typer.Option(metavar="LABEL", help="move this label to it; may be repeated")
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="provider/model, as in openai/gpt-4o-mini")] = None,
    system: Annotated[
        str | None, typer.Option(metavar="FILE", help="the template of a system message before it")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="what the answer must be: bug,idea or number, boolean, json, schema.json"),
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="a model parameter, such as temperature=0")
    ] = None,
    note_text: Annotated[str, typer.Option("--note", metavar="TEXT", help="why this version exists")] = "",
    release: Annotated[bool, typer.Option("--publish", help="give it the label production at once")] = False,
) -> None:
    """Store a new immutable version.

    The first version of a prompt gets the label production; later ones only with --publish, or afterwards with
    `prompts label`. Publishing what the newest version already says adds nothing.
    """
    session: Session = context.obj
    content = _read_content(file, system)
    with session.open() as app:
        version = app.prompts.publish(
            name,
            content,
            model=model,
            output=parse_output_kind(output),
            parameters=parse_parameters(param or ()),
            labels=label or (),
            publish=release,
            note=note_text,
        )
    _tell(session, version, verb="is")
    if DEFAULT_LABEL not in version.labels:
        note(session, f"roll it out with: cuewire prompts label {version.prompt} {DEFAULT_LABEL} {version.number}")


@prompts.command()
def variables(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="the template, - for stdin; a .json file holds a list of messages")],
    system: Annotated[
        str | None, typer.Option(metavar="FILE", help="the template of a system message before it")
    ] = None,
) -> None:
    """List the variables of a template that need not be published; nothing is stored."""
    session: Session = context.obj
    content = _read_content(file, system)
    with session.open() as app:
        found = app.prompts.variables(content)
    if session.is_json:
        write_json({"variables": found})
        return
    rows = [(name, variable.kind, "yes" if variable.required else "no") for name, variable in found.items()]
    columns = [Column("variable", is_free=True), Column("kind"), Column("required")]
    write_table(session, columns, rows, empty="it reads no variables")


@prompts.command("list")
def list_(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="list the versions of this prompt, newest first")] = None,
    archived: Annotated[bool, typer.Option("--archived", help="list the archived prompts instead")] = False,
    limit: Annotated[int, typer.Option(metavar="N", help="how many", min=1, max=MAX_PAGE)] = 100,
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="go on where an earlier list ended")] = None,
) -> None:
    """List prompts by name, or the versions of one."""
    session: Session = context.obj
    with session.open() as app:
        if name is not None:
            _list_versions(session, app.prompts.versions(name))
            return
        page = app.prompts.list(limit=limit, after=after, archived=archived)
    if session.is_json:
        write_json(page)
        return
    columns = [Column("name", is_free=True), Column("versions", is_number=True), Column("labels", is_free=True)]
    rows = [
        (prompt.name, str(prompt.versions), _labels(prompt.labels), moment(prompt.updated_at)) for prompt in page.items
    ]
    empty = "no prompts yet; publish one with: cuewire prompts publish NAME FILE"
    write_table(session, [*columns, Column("changed (UTC)", is_detail=True)], rows, empty=empty)
    if page.next:
        note(session, f"there are more: cuewire prompts list --after {page.next}")


@prompts.command()
def show(
    context: typer.Context,
    reference: Annotated[str, typer.Argument(metavar="NAME[@REF]", help="name, name@label or name@7")],
    diff: Annotated[
        str | None, typer.Option(metavar="OTHER", help="what changed since that version: name@7, or @7 for short")
    ] = None,
) -> None:
    """Show a version, or how it differs from another."""
    session: Session = context.obj
    with session.open() as app:
        version = app.prompts.get(reference)
        if diff is None:
            if session.is_json:
                write_json(version)
            else:
                write("\n".join([*_heading(version), "", *_body(version)]) + "\n")
            return
        before = app.prompts.get(f"{version.prompt}{diff}" if diff.startswith("@") else diff)
    old, new = (f"{v.prompt}@{v.number}" for v in (before, version))
    lines = [*unified_diff([*_body(before)], [*_body(version)], old, new, lineterm="", n=1_000)]
    if session.is_json:
        write_json({"before": before, "after": version, "diff": lines})
    elif lines:
        _write_diff(session, lines)
    else:
        note(session, f"{old} and {new} say the same")


@prompts.command()
def label(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="the prompt")],
    label: Annotated[str, typer.Argument(help="the label, such as production")],
    number: Annotated[int, typer.Argument(help="the version that gets it")],
) -> None:
    """Move a label to a version: the roll-out, and the way back."""
    session: Session = context.obj
    with session.open() as app:
        version = app.prompts.label(name, label, number)
    _tell(session, version, verb="is now")


@prompts.command()
def archive(context: typer.Context, name: Annotated[str, typer.Argument(help="the prompt")]) -> None:
    """Archive a prompt: it keeps its history and no longer runs."""
    session: Session = context.obj
    with session.open() as app:
        prompt = app.prompts.archive(name)
    if session.is_json:
        write_json(prompt)
    else:
        write(f"{prompt.name} is archived\n")


def _read_content(file: str, system: str | None) -> str | list[Any]:
    if file.endswith(".json"):
        content = read_json(file, field="/content")
        if not isinstance(content, list):
            raise InvalidInput(f"{file!r} holds no list of messages", field="/content", hint=_MESSAGES)
        messages: list[Any] = content
    elif system is None:
        return read_text(file, field="/content")
    else:
        messages = [{"role": "user", "content": read_text(file, field="/content")}]
    if system is not None:
        messages = [{"role": "system", "content": read_text(system, field="/system")}, *messages]
    return messages


_MESSAGES = 'write it as [{"role": "user", "content": "..."}]'


def _tell(session: Session, version: PromptVersion, *, verb: str) -> None:
    if session.is_json:
        write_json(version)
    else:
        write(f"{version.prompt}@{version.number} {verb} {', '.join(version.labels) or 'without a label'}\n")


def _list_versions(session: Session, versions: list[PromptVersion]) -> None:
    if session.is_json:
        write_json({"items": versions, "next": None})
        return
    columns = [
        Column("version", is_number=True),
        Column("labels"),
        Column("model"),
        Column("made (UTC)"),
        Column("note", is_free=True),
    ]
    rows = [
        (str(v.number), ", ".join(v.labels) or UNKNOWN, v.model or UNKNOWN, moment(v.created_at), v.note)
        for v in versions
    ]
    write_table(session, columns, rows, empty="no versions")


def _labels(labels: dict[str, int]) -> str:
    return ", ".join(f"{label} {number}" for label, number in sorted(labels.items())) or UNKNOWN


def _heading(version: PromptVersion) -> Iterator[str]:
    yield f"{version.prompt}@{version.number}  {', '.join(version.labels)}".rstrip()
    yield f"made     {moment(version.created_at)} UTC, content {version.content_hash[:12]}"
    if version.note:
        yield f"note     {version.note}"


def _body(version: PromptVersion) -> Iterator[str]:
    """Yield what a version says, line by line, in a form made for comparing."""
    yield f"model    {version.model or UNKNOWN}"
    yield f"output   {_output(version.output)}"
    for name, value in sorted(version.parameters.items()):
        yield f"param    {name} = {_json(value)}"
    for name, variable in version.variables.items():
        yield f"input    {name}{_variable(variable)}"
    for message in version.messages:
        yield ""
        if not isinstance(message, Message):
            yield f"the messages in {message.input!r}"
            continue
        yield f"{message.role}:"
        for part in (message.content,) if isinstance(message.content, str) else message.content:
            if isinstance(part, Image):
                yield f"  the image in {part.input!r}"
            else:
                yield from (f"  {line}" for line in part.splitlines())


def _output(output: OutputKind) -> str:
    if isinstance(output, ChoiceOutput):
        return f"one of {', '.join(output.choices)}"
    if isinstance(output, JsonOutput) and output.json_schema:
        return f"json that satisfies {_json(output.json_schema)}"
    return type(output).__name__.removesuffix("Output").lower()


def _variable(variable: Variable) -> str:
    kind = {"value": "", "messages": ", a list of messages", "image": ", an image"}[variable.kind]
    schema = f", {_json(variable.json_schema)}" if variable.json_schema else ""
    return kind + schema + ("" if variable.required else f", default {_json(variable.default)}")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _write_diff(session: Session, lines: list[str]) -> None:
    colors = {"+": "green", "-": "red", "@": "cyan"} if session.colors_stdout else {}
    for line in lines:
        write(line + "\n", color=colors.get(line[:1]))
