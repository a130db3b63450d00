"""The statements of the record writer: text compiled once from the tables, run on SQLite's own driver."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain

from sqlalchemy import ColumnElement, Executable, Table, bindparam
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from cuewire.model.errors import StoreError
from cuewire.stores.columns import id_from_bytes
from cuewire.stores.record_queries import (
    abandoned,
    check_request,
    free_key,
    gives_way,
    holder_of_key,
    interrupted,
    unended,
    unended_owners,
)
from cuewire.stores.record_rows import ClosedRows, OpenRow, Row
from cuewire.stores.schema import PROJECT, UNENDED, calls, executions, payloads

_DIALECT = sqlite_dialect(paramstyle="qmark")
_FIRST_OF_END = list(executions.c.keys()).index("status")


def _text(statement: Executable) -> str:
    return str(statement.compile(dialect=_DIALECT))  # type: ignore[attr-defined]  # every Core statement has it


def _values(table: Table) -> dict[str, ColumnElement[object]]:
    return {name: bindparam(name) for name in table.c.keys()}  # noqa: SIM118  # a ColumnCollection iterates over columns


class _InsertRows:
    """An INSERT of any number of rows, as few statements as it takes.

    Each run of a statement gives up the interpreter's lock and waits to get it back. With a busy event loop beside it,
    a statement per row took seven times the CPU, and 25 times as long.
    """

    _SIZES = (64, 32, 16, 8, 4, 2, 1)

    def __init__(self, statement: Insert) -> None:
        one = f"({', '.join('?' * len(statement.table.columns))})"
        text = _text(statement)
        assert text.count(one) == 1
        self._texts = [(size, text.replace(one, ", ".join([one] * size))) for size in self._SIZES]

    def run(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> int:
        """Insert the rows; return how many were inserted or updated."""
        count = start = 0
        for size, text in self._texts:
            while len(rows) - start >= size:
                cursor = connection.execute(text, list(chain.from_iterable(rows[start : start + size])))
                count += cursor.rowcount
                start += size
        return count


_open_execution = insert(executions).values(_values(executions))
_open_payload = insert(payloads).values(_values(payloads))
_RUNNING = _InsertRows(_open_execution)
_INPUTS = _InsertRows(_open_payload)
_ENDED = _InsertRows(
    _open_execution.on_conflict_do_update(
        index_elements=["project_id", "id"],
        set_={name: _open_execution.excluded[name] for name in executions.c.keys()[_FIRST_OF_END:]},
        where=unended & (executions.c.owner_id == _open_execution.excluded.owner_id),
    )
)
_ANSWER = _InsertRows(
    _open_payload.on_conflict_do_update(
        index_elements=["project_id", "execution_id"],
        set_={name: _open_payload.excluded[name] for name in payloads.c.keys()[3:]},
    )
)
_CALLS = _InsertRows(insert(calls).values(_values(calls)))

_HOLDER = _text(holder_of_key)
_FREE_KEY = _text(free_key)
_ABANDON = _text(abandoned)
_OWNERS = _text(unended_owners)
_INTERRUPT = _text(interrupted.where(executions.c.owner_id == bindparam("owner")))


def store(connection: sqlite3.Connection, opened: Sequence[OpenRow], closed: Sequence[ClosedRows]) -> None:
    """Store executions that began and executions that ended. Raises StoreError if one of these ended before."""
    if opened:
        running = [row.running for row in opened]
        _RUNNING.run(connection, [execution for execution, _ in running])
        _INPUTS.run(connection, [payload for _, payload in running])
    if closed:
        if _ENDED.run(connection, [rows.execution for rows in closed]) != len(closed):
            raise StoreError("the execution has ended already, or its id belongs to another one")
        _ANSWER.run(connection, [rows.payload for rows in closed])
        _CALLS.run(connection, [call for rows in closed for call in rows.calls])


def claim(connection: sqlite3.Connection, opened: OpenRow, *, is_gone: Callable[[int], bool]) -> str | None:
    """Store an open row that has an idempotency key, or return the id of the execution that holds the key.

    `is_gone` tells whether the owner of an execution that still runs has died. Raises IdempotencyMismatch.
    """
    holder = connection.execute(_HOLDER, (PROJECT, opened.idempotency_key)).fetchone()
    if holder:
        holder_id, holder_hash, status, error_code, owner_id = holder
        check_request(opened, holder_hash)
        if status in UNENDED and owner_id != opened.owner_id and is_gone(owner_id):
            interrupt(connection, [owner_id])
            status = "interrupted"
        if not gives_way(status, error_code):
            return id_from_bytes(holder_id)
        connection.execute(_FREE_KEY, (PROJECT, holder_id))
    store(connection, [opened], [])
    return None


def interrupt(connection: sqlite3.Connection, owners: Sequence[int]) -> int:
    """Mark what these owners left running as interrupted, and return how many executions that were.

    When they ended is not known, so they get no end and no duration.
    """
    return connection.executemany(_INTERRUPT, [(PROJECT, owner) for owner in owners]).rowcount if owners else 0


def owners_of_unended(connection: sqlite3.Connection) -> set[int]:
    """Return the owners of all executions that have not ended."""
    return {owner for (owner,) in connection.execute(_OWNERS, (PROJECT,))}


def abandon(connection: sqlite3.Connection, opened: OpenRow, *, now: int) -> None:
    """Mark an execution as cancelled whose caller left before it learned that it may begin; now in microseconds."""
    connection.execute(_ABANDON, (now, PROJECT, opened.key))
