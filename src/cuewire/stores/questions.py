"""Questions that were answered, with their vectors, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, select

from cuewire.model.cache import Neighbour, Question
from cuewire.model.embeddings import cosines_of
from cuewire.ports import Cosines, Near, Signs
from cuewire.stores.cache import NOT_EXPIRED, entry_of
from cuewire.stores.database import Database
from cuewire.stores.schema import PROJECT, cache_entries, cache_questions

_SINCE = (
    select(cache_questions.c.id, cache_questions.c.signs)
    .where(
        cache_questions.c.project_id == PROJECT,
        cache_questions.c.partition == bindparam("partition"),
        cache_questions.c.id > bindparam("after"),
    )
    .order_by(cache_questions.c.id)
    .limit(bindparam("most"))
)
_ITS_ENTRY = and_(cache_entries.c.project_id == PROJECT, cache_entries.c.key == cache_questions.c.key)
_ANSWERED = and_(
    cache_questions.c.id.in_(bindparam("ids", expanding=True)),
    cache_questions.c.project_id == PROJECT,
    cache_questions.c.partition == bindparam("partition"),
    NOT_EXPIRED,
)
_VECTORS = (
    select(cache_questions.c.id, cache_questions.c.vector)
    .select_from(cache_questions.join(cache_entries, _ITS_ENTRY))
    .where(_ANSWERED)
)
_NEAR = (
    select(cache_questions.c.id.label("number"), cache_questions.c.text.label("question"), cache_entries)
    .join(cache_entries, _ITS_ENTRY)
    .where(_ANSWERED)
)


class SqlQuestionStore:
    """Implements `QuestionStore`."""

    def __init__(self, database: Database, *, compare: Cosines = cosines_of) -> None:
        self._database = database
        self._compare = compare

    async def since(self, partition: str, *, after: int, limit: int) -> Sequence[Signs]:
        """Return the signs of a partition's questions with higher numbers."""
        wanted = {"partition": partition, "after": after, "most": limit}
        rows = await self._database.read(lambda connection: connection.execute(_SINCE, wanted).all())
        return [Signs(row.id, row.signs) for row in rows]

    async def near(self, ids: Sequence[int], question: Question, *, threshold: float, now: datetime) -> Near:
        """Return which of the numbered questions that have an answer are near enough; only those are read whole."""
        wanted: dict[str, object] = {"ids": list(ids), "partition": question.partition, "now": now}

        def run(connection: Connection) -> Near:
            rows = connection.execute(_VECTORS, wanted).all()
            cosines = self._compare(question.vector, [row.vector for row in rows])
            near = {row.id: cosine for row, cosine in zip(rows, cosines, strict=True) if cosine >= threshold}
            if not near:
                return Near(len(rows), ())
            found = [
                Neighbour(text=row.question, similarity=near[row.number], entry=entry_of(row))
                for row in connection.execute(_NEAR, {**wanted, "ids": list(near)})
            ]
            return Near(len(rows), sorted(found, key=lambda each: (-each.similarity, each.entry.key)))

        return await self._database.read(run)
