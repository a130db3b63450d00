"""Where output goes: answers and tables to stdout, notes to stderr, JSON when asked for. Rich is for terminals only."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import typer

from cuewire.cli.session import Session
from cuewire.cli.text import aligned, one_line, printable

WIDE = 110
"""Columns of a terminal from which on a table shows all of its columns."""


class Column(NamedTuple):
    """A column of a table; a detail is left out where there is little room."""

    title: str
    is_number: bool = False
    is_detail: bool = False
    is_free: bool = False


def write(text: str, *, color: str | None = None) -> None:
    """Write text to stdout as it is, for programs; a terminal gets no character that would steer it."""
    shown = printable(text) if sys.stdout.isatty() else text
    sys.stdout.write(typer.style(shown, fg=color) if color else shown)
    sys.stdout.flush()


def write_json(value: object) -> None:
    """Write one JSON document in one line, indented where a person looks at it."""
    document = msgspec.json.encode(value)
    if sys.stdout.isatty():
        document = msgspec.json.format(document, indent=2)
    sys.stdout.write(document.decode() + "\n")
    sys.stdout.flush()


def note(session: Session, text: str) -> None:
    """Tell the person at the terminal something that is not part of the answer."""
    if not session.is_json and (session.is_verbose or (sys.stdout.isatty() and sys.stderr.isatty())):
        shown = printable(text)
        print(typer.style(shown, dim=True) if session.colors_stderr else shown, file=sys.stderr)


def tell(session: Session, step: str) -> None:
    """Tell of a step of something that takes long."""
    if not session.is_json:
        text = typer.style(printable(step), fg="cyan") if session.colors_stderr else step
        print(text, file=sys.stderr, flush=True)


def write_table(session: Session, columns: Sequence[Column], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """Write a table; `empty` says on stderr what to do when there are no rows."""
    if not rows:
        print(empty, file=sys.stderr)
    elif session.is_live:
        _draw(session, columns, rows)
    else:
        titles = [column.title for column in columns]
        write(aligned([titles, *([one_line(cell, width=10_000) for cell in row] for row in rows)]) + "\n")


def _draw(session: Session, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(no_color=not session.colors_stdout, highlight=False)
    shown = [at for at, column in enumerate(columns) if console.width >= WIDE or not column.is_detail]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for at in shown:
        column = columns[at]
        table.add_column(
            column.title,
            justify="right" if column.is_number else "left",
            no_wrap=not column.is_free,
            overflow="fold" if column.is_free else "ellipsis",
        )
    for row in rows:
        table.add_row(*(Text(printable(row[at]), style=_STYLES.get(row[at], "")) for at in shown))
    console.print(table)


_STYLES = {
    "succeeded": "green",
    "ok": "green",
    "failed": "red",
    "fault": "red",
    "timed_out": "red",
    "interrupted": "yellow",
    "cancelled": "yellow",
    "note": "yellow",
    "running": "cyan",
    "pending": "cyan",
}


def program() -> str:
    """Return how this command is called from here, so that commands in our texts can be copied."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m cuewire.cli"
    found = shutil.which(called.name)
    if found and Path(found).resolve() == called.resolve():
        return called.name
    try:
        return str(called.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(called)
