"""`cuewire doctor`: what works on this machine, and what to do about what does not."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import typer

from cuewire.cli.output import Column, program, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN
from cuewire.config import Settings
from cuewire.model.errors import CuewireError
from cuewire.model.values import Value

SQLITE_NEEDED = (3, 35, 0)
ROOM_NEEDED = 1 << 30


class Finding(Value, frozen=True):
    """One thing that was looked at. A note is worth knowing, a fault keeps something from working."""

    name: str
    state: Literal["ok", "note", "fault"]
    what: str
    advice: str = ""


def doctor(context: typer.Context) -> None:
    """Check what works on this machine.

    Looks at Python, SQLite, the settings, the database, the providers' keys, the render pool and the bundled models.
    Calls no provider over the network and shows no key. Ends with 1 if something is at fault.
    """
    session: Session = context.obj
    findings = [*_examine(session)]
    if session.is_json:
        write_json({"items": findings})
    else:
        columns = [
            Column("checked"),
            Column("state"),
            Column("found", is_free=True),
            Column("what to do", is_free=True),
        ]
        rows = [(f.name, f.state, f.what, f.advice or UNKNOWN) for f in findings]
        write_table(session, columns, rows, empty="nothing checked")
    if any(finding.state == "fault" for finding in findings):
        raise typer.Exit(1)


def _examine(session: Session) -> Iterator[Finding]:
    yield _python()
    yield _sqlite()
    try:
        settings = session.settings
    except CuewireError as error:
        yield Finding(name="settings", state="fault", what=error.message, advice=error.hint)
        return
    yield Finding(name="settings", state="ok", what=_files(settings))
    for check in (_database, _integrity):
        yield _guarded(check, settings)
    if file := _file(settings):
        yield _permissions(file)
        yield _room(file)
    yield _keys(settings)
    yield _guarded(_trip, settings)
    yield _guarded(_local_model, settings)
    yield _guarded(_local_embeddings, settings)


def _guarded(check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    try:
        return check(settings)
    except CuewireError as error:
        name = check.__name__.strip("_").replace("_", " ")
        return Finding(name=name, state="fault", what=error.message, advice=error.hint)


def _python() -> Finding:
    return Finding(name="python", state="ok", what=f"{platform.python_version()} at {sys.executable}")


def _sqlite() -> Finding:
    from cuewire.wiring import sqlite_version

    version, needed = (".".join(map(str, numbers)) for numbers in (sqlite_version(), SQLITE_NEEDED))
    if sqlite_version() < SQLITE_NEEDED:
        return Finding(name="sqlite", state="fault", what=version, advice=f"use a Python with SQLite {needed} or newer")
    return Finding(name="sqlite", state="ok", what=version)


def _files(settings: Settings) -> str:
    files = sorted({origin for origin in settings.origins.values() if origin.endswith(".toml")})
    return ", ".join(files) or "no file: defaults and environment"


def _database(settings: Settings) -> Finding:
    from cuewire.wiring import database_status

    found = database_status(settings)
    if not found.exists:
        return Finding(name="database", state="ok", what=f"{found.where} will be made when it is first needed")
    if found.pending:
        what = f"{found.where} is older than this version"
        return Finding(name="database", state="fault", what=what, advice=f"{program()} db upgrade")
    return Finding(name="database", state="ok", what=f"{found.where}, revision {found.revision}")


def _file(settings: Settings) -> Path | None:
    from cuewire.wiring import database_file

    try:
        return database_file(settings)
    except CuewireError:  # the check of the database tells
        return None


def _integrity(settings: Settings) -> Finding:
    from cuewire.wiring import check_database, database_status

    if not database_status(settings).exists:
        return Finding(name="integrity", state="ok", what="no database yet")
    problems = check_database(settings)
    if not problems and not _file(settings):
        return Finding(name="integrity", state="ok", what="the server answers, and checks its pages itself")
    if problems:
        shown = "; ".join(problems[:3])
        return Finding(name="integrity", state="fault", what=shown, advice="restore the file from a backup")
    return Finding(name="integrity", state="ok", what="every page and index is sound")


def _nearest(file: Path) -> Path:
    """Return the file, else the nearest folder above it that exists."""
    path = file.absolute()
    return next(place for place in (path, *path.parents) if place.exists())


def _permissions(file: Path) -> Finding:
    place = _nearest(file)
    folder = place if place.is_dir() else place.parent
    if not os.access(folder, os.W_OK) or not os.access(place, os.W_OK):
        advice = "give yourself the right to write it"
        return Finding(name="permissions", state="fault", what=f"{place} may not be written", advice=advice)
    if place.is_file() and place.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        what = f"others on this machine may read {place}"
        return Finding(name="permissions", state="note", what=what, advice=f"chmod 600 {place}")
    return Finding(name="permissions", state="ok", what="the database can be written")


def _room(file: Path) -> Finding:
    free = shutil.disk_usage(_nearest(file)).free
    what = f"{free / 1e9:,.1f} GB free"
    if free < ROOM_NEEDED:
        return Finding(name="disk", state="note", what=what, advice="make room: records are lost when the disk is full")
    return Finding(name="disk", state="ok", what=what)


def _keys(settings: Settings) -> Finding:
    present = [f"{e.name} ({e.key_source})" for e in settings.endpoints.values() if e.key]
    if present:
        advice = f"try them: {program()} providers check"
        return Finding(name="keys", state="ok", what=", ".join(present), advice=advice)
    return Finding(
        name="keys",
        state="note",
        what="no provider has a key; local and scripted need none",
        advice="set OPENAI_API_KEY or another provider's variable",
    )


def _trip(settings: Settings) -> Finding:
    """Run a prompt end to end in a database that is thrown away, on a template that needs the render pool."""
    import cuewire

    template = "{% macro said(what) %}{{ what }}{% endmacro %}{{ said(text) }}"
    with (
        tempfile.TemporaryDirectory(prefix="cuewire-") as folder,
        cuewire.open(f"sqlite:///{folder}/trip.db", settings=settings) as app,
    ):
        app.prompts.publish("trip", template, model="scripted/echo")
        result = app.run("trip", {"text": "there and back"})
        status = app.executions.get(result.id).status
    return Finding(name="trip", state="ok", what=f"render pool, run and record work ({status})")


def _local_model(settings: Settings) -> Finding:
    from cuewire.wiring import find_local_model

    path = find_local_model(settings)
    if path is None:
        return Finding(name="local model", state="note", what="absent", advice=f"{program()} models pull")
    if find_spec("xllamacpp") is None:
        advice = "pip install 'cuewire[local]'"
        return Finding(name="local model", state="note", what="here, but what runs it is not", advice=advice)
    return Finding(name="local model", state="ok", what=str(path))


def _local_embeddings(settings: Settings) -> Finding:
    from cuewire.wiring import find_local_embeddings

    name = "local embeddings"
    path = find_local_embeddings(settings)
    if path is None:
        return Finding(name=name, state="note", what="absent", advice=f"{program()} models pull embeddings")
    if any(find_spec(library) is None for library in ("numpy", "safetensors", "tokenizers")):
        advice = "pip install 'cuewire[vectors]'"
        return Finding(name=name, state="note", what="here, but what computes them is not", advice=advice)
    return Finding(name=name, state="ok", what=str(path))
