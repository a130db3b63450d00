"""`cuewire prompts list`, `versions` and `stats`: what prompts there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Annotated, cast, get_args

import typer

from cuewire.cli.output import Column, note, write_json, write_table
from cuewire.cli.prompt_lines import labels, scope
from cuewire.cli.prompt_options import Language, Name, Strategy, home_of
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, count, moment
from cuewire.model.pages import MAX_PAGE
from cuewire.model.prompts import Prompt, PromptFilter, PromptSort, PromptStats, PromptStatus
from cuewire.model.references import DEFAULT_LABEL, check_language
from cuewire.wire.prompts import PromptPage
from cuewire.wire.templates import PromptStatsShape
from cuewire.wire.versions import VersionList

StatusName = StrEnum("StatusName", [(name, name) for name in get_args(PromptStatus)])  # type: ignore[misc]  # names are data
SortName = StrEnum(  # type: ignore[misc]  # the names are data
    "SortName", [(name, name) for sort in get_args(PromptSort) for name in (sort, f"-{sort}")]
)


def list_(
    context: typer.Context,
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
    """List prompts.

    Archived ones are listed only if they are asked for with --status.
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
        found = app.prompts.list(limit=limit, after=after, page=page, wanted=wanted)
    if session.is_json:
        write_json(PromptPage.of(found, number=page, size=limit))
        return
    _write_prompts(session, found.items)
    if found.next:
        note(session, f"there are more: the same with {f'--page {page + 1}' if page else f'--after {found.next}'}")


def versions(context: typer.Context, name: Name, strategy: Strategy = None, language: Language = None) -> None:
    """List the versions of a prompt, newest first."""
    session: Session = context.obj
    with session.open() as app:
        found = app.prompts.versions(name, **home_of(strategy, language))
    if session.is_json:
        write_json(VersionList.of(found))
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
        for version in found
    ]
    write_table(session, columns, rows, empty="no versions")


def stats(context: typer.Context) -> None:
    """Count prompts by what is said of them.

    All but the lines about their status leave archived ones out.
    """
    session: Session = context.obj
    with session.open() as app:
        found = app.prompts.stats()
    if session.is_json:
        write_json(PromptStatsShape.of(found))
        return
    columns = [Column("what"), Column("which", is_free=True), Column("count", is_number=True)]
    write_table(session, columns, [*_counts(found)], empty="no prompts")


def _counts(stats: PromptStats) -> Iterator[tuple[str, str, str]]:
    yield "prompts", UNKNOWN, count(stats.prompts)
    yield "versions", UNKNOWN, count(stats.versions)
    kinds = {
        "type": stats.by_type,
        "language": stats.by_language,
        "status": stats.by_status,
        "scope": stats.by_scope,
        "strategy": stats.by_strategy,
        "tag": stats.tags,
    }
    for what, counted in kinds.items():
        yield from ((what, which, count(number)) for which, number in sorted(counted.items()))


def _write_prompts(session: Session, found: Sequence[Prompt]) -> None:
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
