"""What waits for the writer of a database, and how it learns what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from cuewire.stores.record_rows import ClosedRows, OpenRow

T = TypeVar("T")
Point: TypeAlias = Literal["open", "close", ""]
"""What a ticket does to a record, as the names of checkpoints say it."""
Checkpoint: TypeAlias = Callable[[str], None]
"""Called by the writer at open|close.before_commit|after_commit; a fault test dies there."""


class Ticket(Generic[T]):
    """One thing to be written, awaited on the event loop that made it; any number of loops may have tickets."""

    __slots__ = ("_result", "deadline", "error", "loop", "outcome")
    point: Point = ""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[T] = self.loop.create_future()
        self._result: T
        self.error: BaseException | None = None
        self.deadline: float | None = None

    def settle(self) -> None:
        """Let go of who waits, on its own event loop."""
        if self.outcome.done():  # the caller was cancelled
            return
        if self.error is not None:
            self.outcome.set_exception(self.error)
        else:
            self.outcome.set_result(self._result)


class Task(Ticket[T]):
    """A function to run inside the transaction, in a savepoint of its own."""

    __slots__ = ("_run", "point")

    def __init__(self, run: Callable[[], T], *, point: Point = "") -> None:
        super().__init__()
        self._run = run
        self.point = point

    def run(self) -> None:
        """Run the function and keep its result."""
        self._result = self._run()


class Look(Task[T]):
    """A function that only reads, before the transaction begins."""

    __slots__ = ()


class Close(Ticket[None]):
    """The end of an execution to be stored."""

    __slots__ = ("opened", "rows")
    point = "close"

    def __init__(self, opened: OpenRow, rows: ClosedRows) -> None:
        super().__init__()
        self.opened = opened
        self.rows = rows
        self._result = None


def deliver(tickets: Iterable[Ticket[Any]]) -> None:
    """Tell everyone who waits, with one wake-up for each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Ticket[Any]]] = {}
    for ticket in tickets:
        by_loop.setdefault(ticket.loop, []).append(ticket)
    for loop, waiting in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle_all, waiting)
        except RuntimeError:  # the loop is closed, so nobody waits
            continue


def _settle_all(tickets: list[Ticket[Any]]) -> None:
    for ticket in tickets:
        ticket.settle()


def reach(checkpoint: Checkpoint | None, point: str, group: Iterable[Ticket[Any]], opened: Collection[OpenRow]) -> None:
    """Tell which point a group has reached, for each thing that it does."""
    if checkpoint:
        kinds = {ticket.point for ticket in group} | ({"open"} if opened else set())
        for kind in ("open", "close"):
            if kind in kinds:
                checkpoint(f"{kind}.{point}")
