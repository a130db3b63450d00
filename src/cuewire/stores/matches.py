"""Answers that would have been given again, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, insert, select, update

from cuewire.model.cache import CacheMatch, Trust, Verdict, no_match
from cuewire.model.pages import Page
from cuewire.stores.cursors import make_cursor, read_cursor
from cuewire.stores.database import Database
from cuewire.stores.schema import PROJECT, cache_matches, payloads, prompts, versions

_STORED = [column.name for column in cache_matches.columns if column.name != "project_id"]
_OURS = cache_matches.c.project_id == PROJECT
_OF_EXECUTION = and_(_OURS, cache_matches.c.execution_id == bindparam("execution"))
_DECIDE = update(cache_matches).where(_OF_EXECUTION)
_TRUST = (
    select(cache_matches.c.verdict, func.count().label("times"))
    .where(_OURS, cache_matches.c.subject == bindparam("subject"))
    .group_by(cache_matches.c.verdict)
)


class SqlMatchStore:
    """Implements `MatchStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, match: CacheMatch) -> None:
        """Store a match."""
        values = {"project_id": PROJECT, **{name: getattr(match, name) for name in _STORED}}
        await self._database.write(lambda connection: connection.execute(insert(cache_matches), [values]))

    async def get(self, execution_id: str) -> CacheMatch:
        """Return the match of an execution."""
        query = _shown().where(_OF_EXECUTION)
        row = await self._database.read(
            lambda connection: connection.execute(query, {"execution": execution_id}).first()
        )
        if row is None:
            raise no_match(execution_id)
        return _match(row)

    async def list(
        self, *, limit: int, after: str | None = None, version_ids: Sequence[int] | None = None, undecided: bool = False
    ) -> Page[CacheMatch]:
        """Return matches, the oldest first."""
        this = f"matches {undecided} {version_ids}"
        query = _shown().where(_OURS).order_by(cache_matches.c.execution_id).limit(limit + 1)
        if after is not None:
            query = query.where(cache_matches.c.execution_id > read_cursor(after, of=this))
        if version_ids is not None:
            query = query.where(cache_matches.c.version_id.in_(version_ids))
        if undecided:
            query = query.where(cache_matches.c.verdict.is_(None))
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        found = tuple(map(_match, rows[:limit]))
        return Page(found, make_cursor(found[-1].execution_id, of=this) if len(rows) > limit else None)

    async def decide(self, execution_id: str, verdict: Verdict, *, by: str, at: datetime) -> None:
        """Store what somebody decided."""
        wanted = {"execution": execution_id, "verdict": verdict, "decided_by": by, "decided_at": at}

        def run(connection: Connection) -> None:
            connection.execute(_DECIDE.values(verdict=verdict, decided_by=by, decided_at=at), wanted)

        await self._database.write(run)

    async def trust(self, subject: str) -> Trust:
        """Return how the matches of a subject were decided."""
        rows = await self._database.read(lambda connection: connection.execute(_TRUST, {"subject": subject}).all())
        times: dict[str | None, int] = {row.verdict: row.times for row in rows}
        return Trust(right=times.get("right", 0), wrong=times.get("wrong", 0), undecided=times.get(None, 0))


def _shown() -> Select[Any]:
    own, earlier = payloads.alias("own"), payloads.alias("earlier")
    return (
        select(
            cache_matches,
            prompts.c.name.label("prompt"),
            versions.c.number.label("version"),
            own.c.text.label("answer"),
            earlier.c.text.label("matched_answer"),
        )
        .join(versions, versions.c.id == cache_matches.c.version_id)
        .join(prompts, prompts.c.id == versions.c.prompt_id)
        .outerjoin(own, and_(own.c.project_id == PROJECT, own.c.execution_id == cache_matches.c.execution_id))
        .outerjoin(earlier, and_(earlier.c.project_id == PROJECT, earlier.c.execution_id == cache_matches.c.source_id))
    )


def _match(row: Row[Any]) -> CacheMatch:
    return CacheMatch(**{name: getattr(row, name) for name in CacheMatch.__struct_fields__})
