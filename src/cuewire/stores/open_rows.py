"""The open rows of executions that began here. Those not stored linger, in the hope that their end comes first."""

from __future__ import annotations

from collections.abc import Iterable

from cuewire.stores.record_rows import OpenRow

LINGER_S = 0.025
RETRY_S = 1.0
"""How long open rows wait after the database refused them."""
MAX_UNENDED = 10_000
"""Executions that are kept in memory while a database refuses to store them."""


class OpenRows:
    """Any thread may add rows and tell their end; one writer takes those that are due."""

    def __init__(self) -> None:
        self.unended: dict[str, OpenRow] = {}
        """The executions that began here and whose end is not stored."""
        self._lingering: dict[str, OpenRow] = {}

    def __bool__(self) -> bool:
        """Tell whether any row lingers."""
        return bool(self._lingering)

    def add(self, row: OpenRow, *, now: float) -> None:
        """Let a row linger."""
        row.due = now + LINGER_S
        self.unended[row.id] = self._lingering[row.id] = row

    def take(self, row: OpenRow) -> None:
        """Let a row linger no more, because it will be stored with its end."""
        self._lingering.pop(row.id, None)

    def hurry(self) -> None:
        """Let all rows be due."""
        for row in list(self._lingering.values()):
            row.due = 0.0

    def next_due(self) -> float:
        """Return when the next row is due, infinity if none lingers."""
        return min((row.due for row in list(self._lingering.values())), default=float("inf"))

    def take_due(self, now: float) -> list[OpenRow]:
        """Return the rows that are due, without those whose end came in between."""
        due = [row.id for row in list(self._lingering.values()) if row.due <= now]
        taken = [self._lingering.pop(execution_id, None) for execution_id in due]
        return [row for row in taken if row]

    def put_back(self, rows: Iterable[OpenRow], *, due: float) -> None:
        """Keep rows that could not be stored, so that an execution whose end is lost leaves a trace."""
        for row in rows:
            if len(self.unended) > MAX_UNENDED:
                self.unended.pop(row.id, None)
            elif not row.is_stored and row.id in self.unended:
                row.due = due
                self._lingering[row.id] = row
