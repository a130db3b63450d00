"""Questions that were answered, with their vectors, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, select

from cuewire.model.cache import Neighbour, Question
from cuewire.model.embeddings import cosine, unpacked
from cuewire.ports import Signs
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
_NEAR = (
    select(cache_questions.c.text.label("question"), cache_questions.c.vector, cache_entries)
    .join(
        cache_entries,
        and_(cache_entries.c.project_id == PROJECT, cache_entries.c.key == cache_questions.c.key),
    )
    .where(
        cache_questions.c.id.in_(bindparam("ids", expanding=True)),
        cache_questions.c.project_id == PROJECT,
        cache_questions.c.partition == bindparam("partition"),
        NOT_EXPIRED,
    )
)


class SqlQuestionStore:
    """Implements `QuestionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, partition: str, *, after: int, limit: int) -> Sequence[Signs]:
        """Return the signs of a partition's questions with higher numbers."""
        wanted = {"partition": partition, "after": after, "most": limit}
        rows = await self._database.read(lambda connection: connection.execute(_SINCE, wanted).all())
        return [Signs(row.id, row.signs) for row in rows]

    async def near(self, ids: Sequence[int], question: Question, *, now: datetime) -> Sequence[Neighbour]:
        """Return those of the numbered questions that still have an answer."""
        wanted = {"ids": list(ids), "partition": question.partition, "now": now}
        rows = await self._database.read(lambda connection: connection.execute(_NEAR, wanted).all())
        found = [
            Neighbour(text=row.question, similarity=cosine(question.vector, unpacked(row.vector)), entry=entry_of(row))
            for row in rows
        ]
        return sorted(found, key=lambda neighbour: (-neighbour.similarity, neighbour.entry.key))
