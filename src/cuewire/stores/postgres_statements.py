"""What the record needs of PostgreSQL: the statement that stores a group, and who may have an idempotency key.

A group is one statement, so one trip to the server and one commit. Its rows travel as an array for each column.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    Table,
    TableValuedAlias,
    any_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from cuewire.stores.postgres_schema import DIALECT, owners
from cuewire.stores.record_queries import (
    abandoned,
    check_request,
    free_key,
    gives_way,
    holder_of_key,
    interrupted,
    unended,
)
from cuewire.stores.record_rows import ClosedRows, OpenRow, Row
from cuewire.stores.schema import PROJECT, calls, executions, payloads

SILENT_S = 20
"""Seconds without a sign of life after which an owner is dead."""
_TABLES = (executions, payloads, calls)
_FIRST_OF_END = list(executions.c.keys()).index("status")


def _given(table: Table) -> TableValuedAlias:
    """Return rows of the table that are given as an array for each column."""
    arrays = [bindparam(f"{table.name}.{column.name}", type_=ARRAY(column.type)) for column in table.c]
    return func.unnest(*arrays).table_valued(*table.c.keys()).render_derived()


def _group() -> Select[Any]:
    """Return the statement that adds or ends executions, and returns the ids of those for which it did.

    One that has ended already, or is another owner's, is left alone, with all that belongs to it.
    """
    given, answers, made = (_given(table) for table in _TABLES)
    execution = upsert(executions).from_select(executions.c.keys(), select(*given.c))
    stored = (
        execution.on_conflict_do_update(
            index_elements=["project_id", "id"],
            set_={name: execution.excluded[name] for name in executions.c.keys()[_FIRST_OF_END:]},
            where=unended & (executions.c.owner_id == execution.excluded.owner_id),
        )
        .returning(executions.c.id)
        .cte("stored")
    )
    ours = select(stored.c.id)
    payload = upsert(payloads).from_select(
        payloads.c.keys(), select(*answers.c).where(answers.c.execution_id.in_(ours))
    )
    payload = payload.on_conflict_do_update(
        index_elements=["project_id", "execution_id"],
        set_={name: payload.excluded[name] for name in payloads.c.keys()[3:]},
    )
    call = insert(calls).from_select(calls.c.keys(), select(*made.c).where(made.c.execution_id.in_(ours)))
    return ours.add_cte(payload.cte("payload"), call.cte("call"))


_compiled = _group().compile(dialect=DIALECT)
STORE_GROUP = str(_compiled)
"""Text for the driver."""
STORED_ENDS = str(
    select(executions.c.id, executions.c.owner_id, executions.c.status, executions.c.completed_at)
    .where(executions.c.project_id == literal_column(str(PROJECT)))
    .where(executions.c.id == any_(bindparam("ids", type_=ARRAY(executions.c.id.type))))
    .compile(dialect=DIALECT)
)
"""Text for the driver; its argument is a list of ids."""
_COLUMNS = [f"{table.name}.{column.name}" for table in _TABLES for column in table.c]
_PLACES = [_COLUMNS.index(name) for name in _compiled.positiontup or ()]


def group_arguments(opened: Iterable[OpenRow], closed: Sequence[ClosedRows]) -> list[Sequence[object]]:
    """Return the arguments of STORE_GROUP for executions that began and executions that ended."""
    running = [row.running for row in opened]
    rows: tuple[list[Row], list[Row], list[Row]] = (
        [*(execution for execution, _ in running), *(one.execution for one in closed)],
        [*(payload for _, payload in running), *(one.payload for one in closed)],
        [call for one in closed for call in one.calls],
    )
    columns = list(chain.from_iterable(_columns(some, table) for some, table in zip(rows, _TABLES, strict=True)))
    return [columns[place] for place in _PLACES]


def _columns(rows: Sequence[Row], table: Table) -> Sequence[Sequence[object]]:
    return list(zip(*rows, strict=True)) or [()] * len(table.c)


_holder = holder_of_key.with_for_update()
_silence_began = func.now() - text(f"interval '{SILENT_S} s'")
_is_alive = exists().where(owners.c.id == executions.c.owner_id, owners.c.beat_at > _silence_began)


def claim(connection: Connection, row: OpenRow) -> str | None:
    """Store an open row that has an idempotency key, or return the id of the execution that holds the key.

    Raises IdempotencyMismatch; the loser of a race fails on the key's index and has to be run again.
    """
    holder = connection.execute(_holder, {"key": row.idempotency_key}).one_or_none()
    if holder:
        check_request(row, holder.request_hash)
        if not gives_way(holder.status, holder.error_code):
            found: str = holder.id
            return found
        connection.execute(free_key, {"key": holder.id})
    for table, values in zip(_TABLES, row.running, strict=False):
        connection.execute(insert(table), dict(zip(table.c.keys(), values, strict=True)))
    return None


def abandon(connection: Connection, row: OpenRow, *, now: object) -> None:
    """Mark an execution as cancelled whose caller left before it learned that it may begin."""
    connection.execute(abandoned, {"key": row.key, "now": now})


def interrupt_dead(connection: Connection) -> int:
    """Mark what silent owners left running as interrupted, forget them, and return how many executions that were.

    An owner is silent too whom an outage kept from giving signs of life; so ask `is_young`, or wait, before.
    """
    count = connection.execute(interrupted.where(~_is_alive)).rowcount
    connection.execute(delete(owners).where(owners.c.beat_at <= _silence_began))
    return count


def is_young(connection: Connection) -> bool:
    """Tell whether the server has run for less than the time whose silence tells death."""
    return bool(connection.scalar(select(func.pg_postmaster_start_time() > _silence_began)))


def beat(connection: Connection, owner_id: int) -> bool:
    """Give a sign of life; return whether that was in time, so that nobody can have taken us for dead."""
    mine = owners.c.id == bindparam("owner")
    late = func.now() - text(f"interval '{SILENT_S / 2} s'")
    was_in_time = connection.scalar(select(owners.c.beat_at > late).where(mine), {"owner": owner_id})
    statement = upsert(owners).values(id=owner_id, beat_at=func.now())
    connection.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"beat_at": statement.excluded.beat_at})
    )
    return bool(was_in_time)


def add_owner(connection: Connection, owner_id: int) -> bool:
    """Note a new owner, alive; return whether the number was free."""
    statement = upsert(owners).values(id=owner_id, beat_at=func.now()).on_conflict_do_nothing()
    return connection.execute(statement).rowcount == 1


def remove_owner(connection: Connection, owner_id: int) -> None:
    """Forget an owner; what it left running counts as left by a dead one."""
    connection.execute(delete(owners).where(owners.c.id == owner_id))
