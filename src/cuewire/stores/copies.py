"""Moving everything from one database to another of either kind, and proving row by row that it arrived."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Select, Table, func, insert, literal, select, tuple_, update

from cuewire.model.errors import Conflict, StoreBusy, StoreError
from cuewire.ports import Clock
from cuewire.stores.database import Database, OpenDatabase
from cuewire.stores.places import Place
from cuewire.stores.record_queries import unended
from cuewire.stores.schema import metadata

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being done, how many rows that has come to, and of how many."""
PAGE_ROWS = 200
_TABLES = metadata.sorted_tables
"""In such an order that a row comes after those that it refers to."""


async def copy_all(source: Place, target: Place, *, clock: Clock, progress: Progress) -> Mapping[str, int]:
    """Copy all rows and compare them; return how many each table has.

    Either the target holds everything, or, after an error, nothing. Raises Conflict if it held something before,
    StoreBusy while the source is in use, StoreError if the two differ in the end.
    """
    if source.name == target.name:
        raise Conflict(f"database {source.name!r} cannot be copied onto itself", hint="name another one")
    if not (await source.status()).exists:
        raise StoreError(f"there is no database {source.name!r}", hint="mind the order: cuewire db copy FROM TO")
    await target.refuse_unless_empty()
    try:
        origin = await source.open(clock=clock)
        try:
            copy = await target.open(clock=clock)
            try:
                return await _copy(origin, copy, progress)
            finally:
                await copy.close()
        finally:
            await origin.close()
    except BaseException:
        await target.clear()
        raise


async def _copy(origin: OpenDatabase, copy: OpenDatabase, progress: Progress) -> Mapping[str, int]:
    if await origin.read(lambda connection: connection.scalar(select(func.count()).where(unended))):
        raise StoreBusy("executions are running in the source", hint="end the programs that use it, then copy again")
    counts = {table.name: await _count(origin, table) for table in _TABLES}
    total, done = sum(counts.values()), 0
    for table in _TABLES:
        async for rows in _pages(origin, table):
            await copy.write(partial(_insert, table=table, rows=rows))
            done += len(rows)
            progress("copying", done, total)
        if _to_itself(table):
            async for rows in _pages(origin, table):
                await copy.write(partial(_refer, table=table, rows=rows))
        await copy.write(partial(_go_on_counting, table=table))
    done = 0
    for table in _TABLES:
        others = _pages(copy, table)
        async for rows in _pages(origin, table):
            _compare(table, rows, await anext(others, ()))
            done += len(rows)
            progress("comparing", done, total)
        if counts[table.name] != await _count(copy, table):
            raise _changed(table)
    return counts


def _insert(connection: Connection, *, table: Table, rows: Sequence[Row[Any]]) -> None:
    nowhere = dict.fromkeys(_to_itself(table))  # it may refer to a row that comes later
    connection.execute(insert(table), [{**row._mapping, **nowhere} for row in rows])


def _refer(connection: Connection, *, table: Table, rows: Sequence[Row[Any]]) -> None:
    """Let rows refer to others of their table, all of which are there by now."""
    for row in rows:
        references = {name: row._mapping[name] for name in _to_itself(table)}
        is_it = [column == row._mapping[column.name] for column in table.primary_key.columns]
        connection.execute(update(table).where(*is_it).values(**references))


def _to_itself(table: Table) -> list[str]:
    """Return the columns by which rows refer to others of their own table."""
    return [column.name for column in table.columns if any(key.column.table is table for key in column.foreign_keys)]


def _go_on_counting(connection: Connection, *, table: Table) -> None:
    """Let the numbers that PostgreSQL gives out begin behind those that were copied; SQLite sees to it itself."""
    column = table.autoincrement_column
    if column is not None and connection.dialect.name == "postgresql":
        last = select(func.max(column)).scalar_subquery()
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))


async def _count(database: Database, table: Table) -> int:
    count = await database.read(lambda connection: connection.scalar(select(func.count()).select_from(table)))
    return count or 0


async def _pages(database: Database, table: Table) -> AsyncIterator[Sequence[Row[Any]]]:
    key = list(table.primary_key.columns)
    last: Row[Any] | None = None
    while True:
        query: Select[Any] = select(table).order_by(*key).limit(PAGE_ROWS)
        if last is not None:
            place = [literal(getattr(last, column.name), column.type) for column in key]
            query = query.where(tuple_(*key) > tuple_(*place))
        rows = await database.read(partial(_rows, query=query))
        if not rows:
            return
        yield rows
        last = rows[-1]


def _rows(connection: Connection, *, query: Select[Any]) -> Sequence[Row[Any]]:
    return connection.execute(query).all()


def _compare(table: Table, rows: Sequence[Row[Any]], others: Sequence[Row[Any]]) -> None:
    if [tuple(row) for row in rows] != [tuple(row) for row in others]:
        raise _changed(table)


def _changed(table: Table) -> StoreError:
    return StoreError(
        f"the copy of table {table.name!r} differs from the source",
        hint="end the programs that use either database, then copy again",
    )
