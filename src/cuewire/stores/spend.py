"""What executions cost, summed over the record."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, func, select

from cuewire.model.ids import uuid7
from cuewire.stores.database import Database
from cuewire.stores.schema import PROJECT, executions


class SqlSpendStore:
    """Implements `SpendStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spent_usd(self, *, since: datetime, prompt: str | None = None, actor: str | None = None) -> float:
        """Return what executions cost that began since then; reads the row of each, by id, as ids sort by time."""
        query = spent_query(since=since, prompt=prompt, actor=actor)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())


def spent_query(*, since: datetime, prompt: str | None, actor: str | None) -> Select[float]:
    """Return the query of what executions cost that began since then, all or those of a prompt or an actor."""
    first = uuid7(unix_ms=int(since.timestamp() * 1_000), random_bits=0)
    query = select(func.coalesce(func.sum(executions.c.cost_usd), 0.0)).where(
        executions.c.project_id == PROJECT, executions.c.id >= first
    )
    wanted = ((executions.c.prompt_name, prompt), (executions.c.actor, actor))
    return query.where(*(column == name for column, name in wanted if name is not None))
