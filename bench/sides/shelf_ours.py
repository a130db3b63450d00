"""Fills our database with the shelf by bulk inserts; a SQLite file that is filled once is kept and copied."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, insert, select

import cuewire
from bench.kit.environments import cache_folder
from bench.sides import shelf
from bench.sides.shelf import Size
from cuewire.clock import SystemClock
from cuewire.stores import schema
from cuewire.stores.places import place_of

_AT_ONCE = 500
_MODELS = ("openai/gpt-4o-mini", "anthropic/claude-haiku-4-5", None)


async def filled_file(size: Size, path: Path) -> str:
    """Give the URL of a SQLite file at the path that holds the shelf."""
    sources = [Path(source) for source in (__file__, shelf.__file__)]
    sources += sorted(Path(schema.__file__).parent.glob("*.py"))
    mark = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    name = f"shelf-{size.prompts}x{size.versions}"
    kept = cache_folder() / f"{name}-{mark}.db"
    if not kept.exists():
        for outdated in cache_folder().glob(f"{name}-*.db"):
            outdated.unlink()
        await fill(f"sqlite:///{path}", size)
        shutil.copyfile(path, making := kept.with_suffix(f".{os.getpid()}"))
        making.replace(kept)
    else:
        shutil.copyfile(kept, path)
    return f"sqlite:///{path}"


async def fill(url: str, size: Size) -> None:
    """Make the tables of a new database and put the shelf into them."""
    print(f"making {size.prompts} prompts of {size.versions} versions ...", file=sys.stderr, flush=True)
    clock = SystemClock()
    async with cuewire.open(url) as app:
        for number in range(1, shelf.STRATEGIES + 1):
            await app.strategies.add(f"strategy-{number:02}")
        first = await app.prompts.publish("first", shelf.text_of(0, 0), model=_MODELS[0])
    database = await place_of(url).open(clock=clock)
    try:
        pattern = await database.read(lambda connection: _pattern(connection, first.id))
        rows = Rows(pattern, versions=size.versions, now=clock.now())
        for start in range(0, size.prompts, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, size.prompts))
            await database.write(partial(rows.store, numbers))
        if url.startswith("postgresql"):  # which looks at its tables by itself within some minutes
            await database.write(lambda connection: connection.exec_driver_sql("ANALYZE"))
    finally:
        await database.close()


def _pattern(connection: Connection, version_id: int) -> dict[str, Any]:
    row = connection.execute(select(schema.versions).where(schema.versions.c.id == version_id)).one()
    return row._asdict()


class Rows:
    """Makes the rows of some prompts after the pattern of a version that the engine stored."""

    def __init__(self, pattern: dict[str, Any], *, versions: int, now: datetime) -> None:
        self._pattern = pattern
        self._versions = range(1, versions + 1)
        self._now = now

    def store(self, numbers: range, connection: Connection) -> None:
        """Insert them."""
        scopes = schema.scopes.c
        strategies = connection.scalars(select(scopes.id).where(scopes.kind == "strategy").order_by(scopes.name)).all()
        every: dict[Table, Iterable[dict[str, Any]]] = {
            schema.prompts: (self._prompt(number, strategies) for number in numbers),
            schema.prompt_tags: (row for number in numbers for row in _tags(number)),
            schema.versions: (self._version(number, version) for number in numbers for version in self._versions),
            schema.labels: (row for number in numbers for row in self._labels(number)),
            schema.events: (self._event(number, version) for number in numbers for version in self._versions),
        }
        for table, rows in every.items():
            connection.execute(insert(table).inline(), list(rows))

    def _prompt(self, number: int, strategies: Sequence[int]) -> dict[str, Any]:
        status, strategy = shelf.status_of(number), shelf.strategy_of(number)
        changed_at = self._now - timedelta(minutes=number * 7 % 100_000)
        return {
            "id": shelf.id_of(number),
            "name": shelf.name_of(number),
            "strategy_id": None if strategy is None else strategies[strategy - 1],
            "language": shelf.LANGUAGES[number % len(shelf.LANGUAGES)],
            "description": shelf.description_of(number),
            "template_type": shelf.type_of(number),
            "category": f"desk {number % 12}",
            "status": status,
            "archived_at": changed_at if status == "archived" else None,
            "created_at": self._now - timedelta(days=400, minutes=number),
            "updated_at": changed_at,
            "revision": self._versions[-1],
        }

    def _version(self, number: int, version: int) -> dict[str, Any]:
        messages = self._pattern["messages"].replace("Prompt 0, version 0", f"Prompt {number}, version {version}")
        return {
            **self._pattern,
            "id": _version_id(number, version),
            "prompt_id": shelf.id_of(number),
            "number": version,
            "messages": messages,
            "model": _MODELS[number % len(_MODELS)],
            "content_hash": hashlib.sha256(messages.encode()).hexdigest(),
            "parent": version - 1 or None,
        }

    def _labels(self, number: int) -> Iterator[dict[str, Any]]:
        for label, version in {"latest": self._versions[-1], **shelf.labels_of(self._versions[-1])}.items():
            version_id = _version_id(number, version)
            yield {"prompt_id": shelf.id_of(number), "label": label, "version_id": version_id, "moved_at": self._now}

    def _event(self, number: int, version: int) -> dict[str, Any]:
        return {
            "prompt_id": shelf.id_of(number),
            "at": self._now,
            "actor": "bench",
            "action": "version.published",
            "data": f'{{"number": {version}, "note": ""}}',
        }


def _tags(number: int) -> list[dict[str, Any]]:
    return [{"prompt_id": shelf.id_of(number), "tag": tag} for tag in shelf.tags_of(number)]


def _version_id(number: int, version: int) -> int:
    return shelf.id_of(number) * 1_000 + version
