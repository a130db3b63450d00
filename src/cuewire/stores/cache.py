"""Cache entries as rows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, Row, and_, bindparam, delete, exists, func, or_, select

from cuewire.model.cache import CacheEntry, CacheStats, Question
from cuewire.model.embeddings import packed, signs
from cuewire.model.pages import Page
from cuewire.stores.cursors import make_cursor, read_cursor
from cuewire.stores.database import Database, insertion_for
from cuewire.stores.patterns import name_fits
from cuewire.stores.schema import PROJECT, cache_entries, cache_questions, executions, prompts, versions

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_LIST = "cache"
_OURS = cache_entries.c.project_id == PROJECT
_EXPIRED = and_(cache_entries.c.expires_at.is_not(None), cache_entries.c.expires_at <= bindparam("now"))
NOT_EXPIRED = ~_EXPIRED
"""At the instant `now`."""
_FOUND = select(cache_entries).where(_OURS, cache_entries.c.key.in_(bindparam("keys", expanding=True)), NOT_EXPIRED)
_MOST_KEYS = 1_000
_OLD = select(cache_entries.c.key).where(_OURS, cache_entries.c.expires_at <= bindparam("now"))
_SWEEP = delete(cache_entries).where(
    _OURS, cache_entries.c.key.in_(_OLD.order_by(cache_entries.c.expires_at).limit(bindparam("most")))
)


class SqlCacheStore:
    """Implements `CacheStore`. Keys that are looked for at the same time are looked for by one question."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wanted: dict[str, asyncio.Future[CacheEntry | None]] = {}
        self._now: datetime | None = None
        self._looking: asyncio.Task[None] | None = None

    async def find(self, key: str, *, now: datetime) -> CacheEntry | None:
        """Return the entry of a key, unless it has expired."""
        loop = asyncio.get_running_loop()
        self._now = now
        if (found := self._wanted.get(key)) is None:
            found = self._wanted[key] = loop.create_future()
            if self._looking is None:
                self._looking = loop.create_task(self._look())
        return await asyncio.shield(found)

    async def _look(self) -> None:
        """Look for what is wanted, and for what comes to be wanted meanwhile."""
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, {}
                try:
                    entries = await self._found([*wanted])
                except Exception as error:  # noqa: BLE001  # it is that of each who asked
                    for found in wanted.values():
                        found.set_exception(error)
                        found.exception()  # whoever asked may have gone
                else:
                    for key, found in wanted.items():
                        found.set_result(entries.get(key))
        finally:
            self._looking = None

    async def _found(self, keys: Sequence[str]) -> dict[str, CacheEntry]:
        asked = [{"keys": keys[at : at + _MOST_KEYS], "now": self._now} for at in range(0, len(keys), _MOST_KEYS)]
        rows = await self._database.read(
            lambda connection: [row for each in asked for row in connection.execute(_FOUND, each)]
        )
        return {row.key: entry_of(row) for row in rows}

    async def put(self, entry: CacheEntry, *, question: Question | None = None) -> None:
        """Store an entry in place of the one with its key, and its question if it has none yet."""
        values = {name: getattr(entry, name) for name in CacheEntry.__struct_fields__}
        values |= {"project_id": PROJECT, "value": msgspec.json.encode(entry.value).decode()}

        def run(connection: Connection) -> None:
            connection.execute(_put_entry(connection.dialect.name), values)
            if question is not None:
                _put_question(connection, question, entry.key)

        await self._database.write(run)

    async def list(self, *, limit: int, after: str | None = None) -> Page[CacheEntry]:
        """Return entries, the newest first."""
        query = select(cache_entries).where(_OURS)
        if after is not None:
            at, _, key = read_cursor(after, of=_LIST).partition(" ")
            last = datetime.fromisoformat(at)
            same = and_(cache_entries.c.created_at == last, cache_entries.c.key < key)
            query = query.where(or_(cache_entries.c.created_at < last, same))
        query = query.order_by(cache_entries.c.created_at.desc(), cache_entries.c.key.desc()).limit(limit + 1)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        found = tuple(map(entry_of, rows[:limit]))
        if len(rows) <= limit:
            return Page(found, None)
        return Page(found, make_cursor(f"{found[-1].created_at.isoformat()} {found[-1].key}", of=_LIST))

    async def clear(self, *, version_ids: Sequence[int] | None = None) -> int:
        """Remove entries and count them."""
        statement = delete(cache_entries).where(_OURS)
        if version_ids is not None:
            statement = statement.where(cache_entries.c.version_id.in_(version_ids))
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def sweep(self, *, now: datetime, limit: int) -> int:
        """Remove so many entries that have expired."""
        wanted = {"now": now, "most": limit}
        return await self._database.write(lambda connection: connection.execute(_SWEEP, wanted).rowcount)

    async def stats(self, *, now: datetime, among: Sequence[str] | None = None) -> CacheStats:
        """Return what there is, and what it was good for."""
        counted = select(func.count(), func.count().filter(_EXPIRED)).select_from(cache_entries).where(_OURS)
        hits = select(func.count(), func.coalesce(func.sum(executions.c.saved_usd), 0.0)).where(
            executions.c.project_id == PROJECT, executions.c.cached_from.is_not(None)
        )
        if among is not None:
            of_entry = (versions.c.id == cache_entries.c.version_id, prompts.c.id == versions.c.prompt_id)
            counted = counted.where(exists().where(*of_entry, name_fits(prompts.c.name, among)))
            hits = hits.where(name_fits(executions.c.prompt_name, among))

        def run(connection: Connection) -> CacheStats:
            entries, expired = connection.execute(counted, {"now": now}).one()
            times, saved_usd = connection.execute(hits).one()
            return CacheStats(entries=entries, expired=expired, hits=times, saved_usd=saved_usd)

        return await self._database.read(run)


@cache
def _put_entry(dialect: str) -> sqlite.Insert | postgresql.Insert:
    insertion = insertion_for(dialect, cache_entries)
    kept = ("project_id", "key")
    new = {column.name: insertion.excluded[column.name] for column in cache_entries.c if column.name not in kept}
    return insertion.on_conflict_do_update(index_elements=kept, set_=new)


@cache
def _put_question_once(dialect: str) -> sqlite.Insert | postgresql.Insert:
    insertion = insertion_for(dialect, cache_questions)
    return insertion.on_conflict_do_nothing(index_elements=["project_id", "key"])


def _put_question(connection: Connection, question: Question, key: str) -> None:
    values = {
        "project_id": PROJECT,
        "key": key,
        "partition": question.partition,
        "text": question.text,
        "signs": signs(question.vector),
        "vector": packed(question.vector),
    }
    connection.execute(_put_question_once(connection.dialect.name), values)


def entry_of(row: Row[Any]) -> CacheEntry:
    """Return the entry of a row."""
    return CacheEntry(
        key=row.key,
        version_id=row.version_id,
        source_id=row.source_id,
        value=msgspec.json.decode(row.value),
        text=row.text,
        model=row.model,
        finish_reason=row.finish_reason,
        cost_usd=row.cost_usd,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
