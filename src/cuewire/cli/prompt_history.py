"""`cuewire prompts history` and `rollback`: what happened to a prompt, and the way back that follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cuewire.cli.events import After, Limit, tell_events
from cuewire.cli.output import write, write_json
from cuewire.cli.prompt_lines import what_happened
from cuewire.cli.prompt_options import Language, Name, Strategy, flags, home_of
from cuewire.cli.session import Session
from cuewire.model.errors import VersionNotFound
from cuewire.model.pages import MAX_PAGE
from cuewire.model.prompts import Prompt
from cuewire.model.references import DEFAULT_LABEL

if TYPE_CHECKING:
    from cuewire.blocking import BlockingApp
    from cuewire.model.events import Event


def history(
    context: typer.Context,
    name: Name,
    limit: Limit = 100,
    after: After = 0,
    strategy: Strategy = None,
    language: Language = None,
) -> None:
    """List what happened to a prompt, oldest first."""
    session: Session = context.obj
    with session.open() as app:
        found = app.prompts.history(name, limit=limit, after=after, **home_of(strategy, language))
    tell_events(session, found, [what_happened(event) for event in found], limit=limit)


def rollback(
    context: typer.Context,
    name: Name,
    label: Annotated[str, typer.Option(metavar="LABEL", help="another label")] = DEFAULT_LABEL,
    strategy: Strategy = None,
    language: Language = None,
) -> None:
    """Move production back to the version before.

    That is the one that it was on, as the history says. Done again, it is the one before that.
    """
    session: Session = context.obj
    with session.open() as app:
        prompt = app.prompts.find(name, **home_of(strategy, language))
        moves = [event.data for event in _events(app, prompt) if event.action == "label.moved"]
        path = _path([number for move in moves if move["label"] == label for number in (move["from"], move["to"])])
        now = prompt.labels.get(label, 0)
        if len(path) < 2 or path[-1] != now:
            raise VersionNotFound(
                f"label {label!r} of prompt {prompt.name!r} was on no version before",
                hint=f"see where it was with: cuewire prompts history {prompt.name}{flags(prompt)}",
            )
        version = app.prompts.label(str(prompt.id), label, path[-2], expected=now)
    if session.is_json:
        write_json({"prompt": prompt.name, "label": label, "from": now, "to": version.number})
    else:
        write(f"{prompt.name}: {label} is back on version {version.number}, from {now}\n")


def _events(app: BlockingApp, prompt: Prompt) -> Iterator[Event]:
    """Yield all that happened to a prompt, oldest first."""
    last = 0
    while found := app.prompts.history(str(prompt.id), limit=MAX_PAGE, after=last):
        yield from found
        last = found[-1].id


def _path(numbers: Sequence[int | None]) -> list[int]:
    """Return the way from the first version to the one now, of where a label was in turn; a step back undoes one."""
    path: list[int] = []
    for number in filter(None, numbers):
        if path[-2:-1] == [number]:
            path.pop()
        elif path[-1:] != [number]:
            path.append(number)
    return path
