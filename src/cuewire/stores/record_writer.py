"""Writes the record of executions: the port's face, which makes rows where it is called, for the database to store.

An execution whose end comes before its open row was due is written once, complete.
"""

from __future__ import annotations

from cuewire.model.errors import InvalidInput, StoreError
from cuewire.model.executions import Closing, Opening
from cuewire.stores.database import Records
from cuewire.stores.record_rows import ClosedRows, OpenRow


class RecordWriter:
    """Implements `Recorder`."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._open_rows = records.open_rows

    def open(self, opening: Opening) -> None:
        """Enqueue the open row; it is durable within about 25 ms, or with its end if that comes first.

        Raises at once InvalidInput for text that no database can store, StoreUnavailable if it is known to be away.
        """
        self._records.linger(self._row(opening))

    async def claim(self, opening: Opening) -> str | None:
        """Store an open row that has an idempotency key. Raises InvalidInput for text that no database can store."""
        if opening.idempotency_key is None:
            raise InvalidInput("there is no idempotency key to claim", field="/idempotency_key")
        row = self._row(opening)
        holder = await self._records.claim(row)
        if holder is None:
            row.is_stored = True
            row.forget_key()
            self._open_rows.unended[row.id] = row
        return holder

    async def close(self, closing: Closing) -> None:
        """Store the end of an execution; raises StoreError also if it is not open here. May be called again after."""
        row = self._open_rows.unended.get(closing.id)
        if row is None:
            raise StoreError(f"execution {closing.id!r} is not open in this process")
        await self._records.end(row, ClosedRows(row, closing))

    async def add(self, opening: Opening, closing: Closing) -> None:
        """Store an execution that has ended; none that could not be stored stays behind as running."""
        row = self._row(opening)
        await self._records.end(row, ClosedRows(row, closing))

    def _row(self, opening: Opening) -> OpenRow:
        return OpenRow(opening, owner_id=self._records.owner_id, encoding=self._records.encoding)
