"""Outcomes as rows: one for each execution and name; the last report counts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Select, select

from cuewire.model.errors import ExecutionNotFound
from cuewire.model.ids import no_execution
from cuewire.model.outcomes import Outcome, check_outcome
from cuewire.stores.database import Database, insert_into
from cuewire.stores.schema import PROJECT, executions, outcomes


class SqlOutcomeStore:
    """Implements `OutcomeStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def report(self, outcomes: Sequence[Outcome]) -> None:
        """Store the outcomes, also of executions that still run. Raises InvalidInput for unusable ones."""
        for outcome in outcomes:
            check_outcome(outcome.name, outcome.value)
        try:
            await self._database.write(lambda connection: _report(connection, outcomes))
        except ExecutionNotFound:  # or one of them began a moment ago
            await self._database.settle()
            await self._database.write(lambda connection: _report(connection, outcomes))

    async def list(self, execution_id: str) -> Sequence[Outcome]:
        """Return the outcomes by name; none also for an execution that does not exist."""
        query = list_query(execution_id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return tuple(
            Outcome(
                execution_id=row.execution_id,
                name=row.name,
                value=msgspec.json.decode(row.value),
                reported_at=row.reported_at,
            )
            for row in rows
        )


def list_query(execution_id: str) -> Select[tuple[object, ...]]:
    """Return the query of the outcomes of one execution."""
    return (
        select(outcomes)
        .where(outcomes.c.project_id == PROJECT, outcomes.c.execution_id == execution_id)
        .order_by(outcomes.c.name)
    )


def _report(connection: Connection, reported: Sequence[Outcome]) -> None:
    for execution_id in {outcome.execution_id for outcome in reported}:
        known = select(executions.c.id).where(executions.c.project_id == PROJECT, executions.c.id == execution_id)
        if connection.execute(known).first() is None:
            raise no_execution(execution_id)
    for outcome in reported:
        statement = insert_into(connection, outcomes).values(
            project_id=PROJECT,
            execution_id=outcome.execution_id,
            name=outcome.name,
            value=msgspec.json.encode(outcome.value).decode(),
            reported_at=outcome.reported_at,
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["project_id", "execution_id", "name"],
                set_={"value": statement.excluded.value, "reported_at": statement.excluded.reported_at},
            )
        )
