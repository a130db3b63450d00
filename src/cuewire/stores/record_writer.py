"""Writes the record of executions: the port's face, which makes rows where it is called and leaves them to the writer.

An execution whose end comes before its open row was due is written once, complete.
"""

from __future__ import annotations

import asyncio

from cuewire.model.errors import InvalidInput, StoreError
from cuewire.model.executions import Closing, Opening
from cuewire.stores.columns import instant_to_micros
from cuewire.stores.record_rows import ClosedRows, OpenRow
from cuewire.stores.record_statements import abandon, claim
from cuewire.stores.sqlite import SqliteDatabase
from cuewire.stores.tickets import Close, Task


class RecordWriter:
    """Implements `Recorder` on SQLite. Any number of event loops may use it."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._writer = database.writer
        self._owner = database.owner

    def open(self, opening: Opening) -> None:
        """Enqueue the open row; it is durable within about 25 ms, or with its end if that comes first.

        Raises InvalidInput at once for text that no database can store.
        """
        self._writer.linger(OpenRow(opening, owner_id=self._owner.id))

    async def claim(self, opening: Opening) -> str | None:
        """Store an open row that has an idempotency key. Raises InvalidInput for text that no database can store."""
        if opening.idempotency_key is None:
            raise InvalidInput("there is no idempotency key to claim", field="/idempotency_key")
        row = OpenRow(opening, owner_id=self._owner.id)
        connection = self._writer.connection
        ticket = Task(lambda: claim(connection, row, is_gone=self._owner.is_gone), point="open")
        self._writer.submit(ticket)
        try:
            holder = await ticket.outcome
        except asyncio.CancelledError:
            now = instant_to_micros(self._database.clock.now())
            self._writer.submit(Task(lambda: abandon(connection, row, now=now)))
            raise
        if holder is None:
            row.is_stored = True
            row.forget_key()
            self._writer.unended[row.id] = row
        return holder

    async def close(self, closing: Closing) -> None:
        """Store the end of an execution; raises StoreError also if it is not open here. May be called again after."""
        opened = self._writer.unended.get(closing.id)
        if opened is None:
            raise StoreError(f"execution {closing.id!r} is not open in this process")
        ticket = Close(opened, ClosedRows(opened, closing))
        self._writer.submit(ticket)
        await ticket.outcome
