"""`cuewire executions`: the record, listed, looked into and followed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NoReturn, cast, get_args

import msgspec
import typer

from cuewire.cli.output import Column, note, write, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, count, milliseconds, moment, one_line, usd
from cuewire.cli.work_lines import call_lines, work_lines
from cuewire.model.executions import FINAL, Execution, ExecutionDetail, Status
from cuewire.model.outcomes import Outcome
from cuewire.model.pages import MAX_PAGE
from cuewire.model.requests import ChatMessage

if TYPE_CHECKING:
    from cuewire.ports import App

executions = typer.Typer(help="The record of what ran: list it, look into it, follow it.", no_args_is_help=True)

POLL_S = 0.5
STATUSES = ", ".join(get_args(Status))
StatusName = StrEnum("StatusName", [(name, name) for name in get_args(Status)])  # type: ignore[misc]  # names are data
PromptOption = Annotated[str | None, typer.Option(metavar="NAME", help="only those of this prompt")]


@executions.command("list")
def list_(
    context: typer.Context,
    prompt: PromptOption = None,
    status: Annotated[StatusName | None, typer.Option(metavar="STATUS", help=f"only those that are {STATUSES}")] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="how many", min=1, max=MAX_PAGE)] = 20,
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="go on where an earlier list ended")] = None,
) -> None:
    """List executions, newest first."""
    session: Session = context.obj
    wanted = cast("Status | None", status.value if status else None)
    with session.open() as app:
        page = app.executions.list(limit=limit, after=after, prompt=prompt, status=wanted)
    if session.is_json:
        write_json(page)
        return
    columns = [
        Column("id"),
        Column("prompt", is_free=True),
        Column("status"),
        Column("model", is_detail=True),
        Column("tokens", is_number=True, is_detail=True),
        Column("cost", is_number=True, is_detail=True),
        Column("time", is_number=True),
        Column("started (UTC)", is_detail=True),
    ]
    rows = [
        (
            execution.id,
            f"{execution.prompt}@{execution.version}",
            execution.status,
            execution.model or UNKNOWN,
            count(execution.total_tokens),
            usd(execution.cost_usd),
            milliseconds(execution.duration_ms),
            moment(execution.started_at),
        )
        for execution in page.items
    ]
    write_table(session, columns, rows, empty="no executions; make one with: cuewire run NAME -v input=text")
    if page.next:
        note(session, f"there are more: the same with --after {page.next}")


@executions.command()
def show(context: typer.Context, id: Annotated[str, typer.Argument(help="the execution's id")]) -> None:
    """Show all that was recorded of an execution."""
    session: Session = context.obj
    with session.open() as app:
        execution, outcomes = app.executions.get(id), app.executions.outcomes(id)
    if session.is_json:
        write_json({**msgspec.to_builtins(execution), "outcomes": outcomes})
    else:
        write("\n".join(_lines(execution, outcomes)) + "\n")


@executions.command()
def tail(
    context: typer.Context,
    prompt: PromptOption = None,
    last: Annotated[
        int, typer.Option("--last", "-n", metavar="N", help="show so many earlier ones first", min=0, max=200)
    ] = 10,
) -> None:
    """Follow executions as they end, until Ctrl-C; with --json one line each."""
    session: Session = context.obj
    asyncio.run(_follow(session, prompt, last=last))


async def _follow(session: Session, prompt: str | None, *, last: int) -> NoReturn:
    async with session.open() as app:
        ended = await _ended(app, prompt, None)
        for execution in reversed(ended[:last]):
            _write_ended(session, execution)
        seen = {execution.id for execution in ended}
        while True:
            await asyncio.sleep(POLL_S)
            ended = [execution for execution in await _ended(app, prompt, seen) if execution.id not in seen]
            for execution in reversed(ended):
                _write_ended(session, execution)
            seen.update(execution.id for execution in ended)


async def _ended(app: App, prompt: str | None, seen: set[str] | None) -> Sequence[Execution]:
    """Return the newest executions that have ended: one page, or as many as it takes to reach one that was seen."""
    found: list[Execution] = []
    after = None
    while True:
        page = await app.executions.list(limit=200, after=after, prompt=prompt)
        found.extend(execution for execution in page.items if execution.status in FINAL)
        after = page.next
        if after is None or not seen or any(execution.id in seen for execution in page.items):
            return found


def _write_ended(session: Session, execution: Execution) -> None:
    if session.is_json:
        write(msgspec.json.encode(execution).decode() + "\n")
        return
    why = f"  {execution.error_code}" if execution.error_code else ""
    write(
        f"{moment(execution.started_at)}  {execution.id}  {execution.prompt}@{execution.version}  {execution.status}"
        f"  {milliseconds(execution.duration_ms)}  {usd(execution.cost_usd)}{why}\n"
    )


def _lines(execution: ExecutionDetail, outcomes: Sequence[Outcome]) -> Iterator[str]:
    label = f", reached by {execution.label}" if execution.label else ""
    yield f"id        {execution.id}"
    if execution.parent_id:
        yield f"judged    for {execution.parent_id}"
    yield f"prompt    {execution.prompt}@{execution.version}{label}"
    yield f"model     {execution.model or UNKNOWN}"
    finish = f", finished by {execution.finish_reason}" if execution.finish_reason else ""
    yield f"status    {execution.status}{finish}"
    by = f", by {execution.actor}" if execution.actor else ""
    yield f"started   {moment(execution.started_at)} UTC{by}"
    first = f", first token after {milliseconds(execution.first_token_ms)}" if execution.first_token_ms else ""
    yield f"time      {milliseconds(execution.duration_ms)}{first}"
    yield f"tokens    {count(execution.input_tokens)} in, {count(execution.output_tokens)} out"
    yield f"cost      {usd(execution.cost_usd)}{f' ({execution.cost_basis})' if execution.cost_basis else ''}"
    if execution.cached_from:
        yield f"cached    from {execution.cached_from}, which saved {usd(execution.saved_usd)}"
    if execution.similarity is not None:
        asked = f": {one_line(execution.matched_text, width=60)}" if execution.matched_text else ""
        yield f"similar   {execution.similarity:.3f} to what was asked there{asked}"
    if execution.idempotency_key:
        yield f"key       {execution.idempotency_key}"
    if execution.metadata:
        yield f"metadata  {_json(execution.metadata)}"
    for outcome in outcomes:
        yield f"outcome   {outcome.name} = {_json(outcome.value)}, reported {moment(outcome.reported_at)} UTC"
    if execution.failure:
        said = f": {execution.failure.message}" if execution.failure.message else ""
        yield f"{'not valid' if execution.valid is False else 'error':10}{execution.failure.code}{said}"
        if execution.failure.hint:
            yield f"          {execution.failure.hint}"
    if execution.work:
        yield from work_lines(execution.work)
    if len(execution.calls) > 1:
        yield from call_lines(execution.calls, execution.work)
    yield from _content(execution)


def _content(execution: ExecutionDetail) -> Iterator[str]:
    if execution.inputs:
        yield from ("", "inputs")
        for name, value in execution.inputs.items():
            yield from _block(f"{name} = ", value if isinstance(value, str) else _json(value))
    if execution.messages:
        yield from ("", "sent")
        for message in execution.messages:
            yield from _block(f"{message.role}: ", _spoken(message))
    if execution.text is not None:
        yield from ("", "answered", *_block("", execution.text))
    for tool_call in execution.tool_calls:
        yield f"  {tool_call.name}({tool_call.arguments})"
    if execution.value is not None and execution.value != execution.text:
        yield from ("", "value", *_block("", _json(execution.value)))


def _block(opening: str, text: str) -> Iterator[str]:
    lines = text.splitlines() or [""]
    yield f"  {opening}{lines[0]}"
    yield from (f"  {' ' * len(opening)}{line}" for line in lines[1:])


def _spoken(message: ChatMessage) -> str:
    if message.content is None or isinstance(message.content, str):
        return message.content or _json(message.tool_calls)
    return "\n".join(
        part.text if hasattr(part, "text") else f"[image {one_line(part.url, width=60)}]" for part in message.content
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
