"""`cuewire reviews`, and `prompts protect`: labels that move only when somebody else, or test cases, agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer

from cuewire.cli.inputs import read_json
from cuewire.cli.output import Column, note, write, write_json, write_table
from cuewire.cli.prompt_options import Language, Strategy, home_of
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN, moment
from cuewire.model.actors import ROLES, check_role
from cuewire.model.errors import InvalidInput
from cuewire.model.pages import MAX_PAGE
from cuewire.model.prompts import Home
from cuewire.model.reviews import Check, LabelRule, Review

reviews = typer.Typer(help="Reviews of what would move a protected label.", no_args_is_help=True)

_Id = Annotated[int, typer.Argument(help="the review's id")]
_Comment = Annotated[str, typer.Option(metavar="TEXT", help="why")]
_Words = Annotated[list[str], typer.Argument(metavar="[NAME] LABEL", help="the prompt, by name or id, and the label")]
_All = Annotated[bool, typer.Option("--all", help="of all prompts: give the label alone")]


@reviews.command("list")
def list_(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="of this prompt only, by name or id")] = None,
    decided: Annotated[bool, typer.Option("--all", help="those that are decided, too")] = False,
    limit: Annotated[int, typer.Option(metavar="N", help="how many", min=1, max=MAX_PAGE)] = 100,
    before: Annotated[int | None, typer.Option(metavar="ID", help="go on where an earlier list ended")] = None,
    strategy: Strategy = None,
    language: Language = None,
) -> None:
    """List the reviews that wait for a decision, newest first."""
    session: Session = context.obj
    home = _home_of(name, strategy, language)
    with session.open() as app:
        found = app.reviews.list(name, status=None if decided else "pending", limit=limit, before=before, **home)
    if session.is_json:
        write_json({"items": found})
        return
    columns = [
        Column("id", is_number=True),
        Column("prompt", is_free=True),
        Column("label"),
        Column("version", is_number=True),
        Column("status"),
        Column("checks"),
        Column("asked by", is_detail=True),
        Column("asked (UTC)", is_detail=True),
    ]
    rows = [
        (
            str(review.id),
            review.prompt,
            review.label,
            str(review.number),
            review.status,
            _checks(review),
            review.asked_by,
            moment(review.asked_at),
        )
        for review in found
    ]
    write_table(session, columns, rows, empty="no review waits" if not decided else "no reviews")
    if len(found) == limit:
        note(session, f"there may be more: the same with --before {found[-1].id}")


@reviews.command()
def show(context: typer.Context, review_id: _Id) -> None:
    """Show a review, and how its test cases went."""
    session: Session = context.obj
    with session.open() as app:
        review = app.reviews.get(review_id)
    _tell(session, review)


@reviews.command()
def approve(context: typer.Context, review_id: _Id, comment: _Comment = "") -> None:
    """Agree, and move the label."""
    session: Session = context.obj
    with session.open() as app:
        review = app.reviews.approve(review_id, comment=comment)
    _tell(session, review)


@reviews.command()
def reject(context: typer.Context, review_id: _Id, comment: _Comment = "") -> None:
    """Refuse; who asked for the review withdraws it."""
    session: Session = context.obj
    with session.open() as app:
        review = app.reviews.reject(review_id, comment=comment)
    _tell(session, review)


@reviews.command()
def check(context: typer.Context, review_id: _Id) -> None:
    """Run the test cases that the version must pass. Each is a run, and costs what a run costs."""
    session: Session = context.obj
    with session.open() as app:
        review = app.reviews.check(review_id)
    _tell(session, review)


def protect(
    context: typer.Context,
    words: _Words,
    every: _All = False,
    role: Annotated[
        str, typer.Option(metavar="ROLE", help=f"who moves it must have at least this: one of {', '.join(ROLES)}")
    ] = "publisher",
    review: Annotated[bool, typer.Option("--review", help="somebody else must agree")] = False,
    check: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE", help="JSON with test cases that a version must pass; may be repeated"),
    ] = None,
    strategy: Strategy = None,
    language: Language = None,
) -> None:
    """Protect a label: who may move it, whether somebody else must agree, and which test cases must pass first.

    A test case is {"name", "inputs", "expected", "contains"}: the run must succeed, its value must equal `expected`,
    and its answer hold the texts of `contains`, where these are given. A file has one, or a list of them.
    """
    session: Session = context.obj
    name, label = _parsed(words, every)
    home = _home_of(name, strategy, language)
    checks = tuple(case for file in check or () for case in _cases(file))
    with session.open() as app:
        prompt_id = None if name is None else app.prompts.find(name, **home).id
        rule = LabelRule(label=label, prompt_id=prompt_id, role=check_role(role), needs_review=review, checks=checks)
        app.reviews.protect(rule)
    if session.is_json:
        write_json(rule)
    else:
        write(f"label {label} of {name or 'all prompts'} is protected: {'; '.join(_conditions(rule))}\n")


def unprotect(
    context: typer.Context, words: _Words, every: _All = False, strategy: Strategy = None, language: Language = None
) -> None:
    """Protect a label no longer."""
    session: Session = context.obj
    name, label = _parsed(words, every)
    home = _home_of(name, strategy, language)
    with session.open() as app:
        dropped = app.reviews.unprotect(label, None if name is None else app.prompts.find(name, **home).id)
    if session.is_json:
        write_json({"dropped": dropped})
    else:
        whose = f"label {label} of {name or 'all prompts'}"
        write(f"{whose} is protected no longer\n" if dropped else f"{whose} was not protected\n")


def _parsed(words: list[str], every: bool) -> tuple[str | None, str]:
    """Return the prompt, None for all, and the label."""
    match words:
        case [label] if every:
            return None, label
        case [name, label] if not every:
            return name, label
    raise typer.BadParameter("give a prompt and a label, or --all and a label", param_hint="[NAME] LABEL")


def _home_of(name: str | None, strategy: str | None, language: str | None) -> Home:
    home = home_of(strategy, language)
    if home and name is None:
        raise typer.BadParameter("it says which prompt is meant: name one too", param_hint=f"--{next(iter(home))}")
    return home


def _cases(file: str) -> list[Check]:
    found: Any = read_json(file, field="/check")
    try:
        return msgspec.convert(found if isinstance(found, list) else [found], list[Check])
    except msgspec.ValidationError as error:
        hint = 'write it as {"name": "greets", "inputs": {"name": "Ada"}, "contains": ["Ada"]}'
        raise InvalidInput(f"{file!r} holds no test cases: {error}", field="/check", hint=hint) from None


def _conditions(rule: LabelRule) -> Iterator[str]:
    yield f"for a {rule.role} to move"
    if rule.needs_review:
        yield "somebody else must agree"
    if rule.checks:
        yield f"{len(rule.checks)} test cases must pass"


def _tell(session: Session, review: Review) -> None:
    if session.is_json:
        write_json(review)
    else:
        write("\n".join(_lines(review)) + "\n")


def _lines(review: Review) -> Iterator[str]:
    yield f"{review.prompt}: {review.label} to version {review.number} is {review.status}"
    yield f"asked    {moment(review.asked_at)} UTC by {review.asked_by}"
    if review.decided_by:
        yield f"decided  {moment(review.decided_at)} UTC by {review.decided_by}"
    if review.comment:
        yield f"comment  {review.comment}"
    for result in review.checks:
        went = "passed" if result.passed else f"failed: {result.reason}"
        yield f"check    {result.name} {went}  ({result.execution_id or UNKNOWN})"


def _checks(review: Review) -> str:
    passed = sum(result.passed for result in review.checks)
    return f"{passed} of {len(review.checks)} passed" if review.checks else UNKNOWN
