"""Rates counted in PostgreSQL, for all processes of a database, on the clock of its server."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sqlalchemy import Connection, Float, bindparam, cast, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from cuewire.model.limits import Booked, Booking, book
from cuewire.stores.database import Database
from cuewire.stores.postgres_schema import owners
from cuewire.stores.postgres_statements import SILENT_S
from cuewire.stores.schema import PROJECT, limits

BLOCK_S = 0.5
_ours = limits.c.project_id == PROJECT
_used = (
    select(limits.c.name, limits.c.used_until)
    .where(_ours, limits.c.name.in_(bindparam("names", expanding=True)))
    .order_by(limits.c.name)  # all take locks in one order, so that nobody waits for each other
    .with_for_update()
)
_add = insert(limits).on_conflict_do_nothing()
_move = update(limits).where(_ours, limits.c.name == bindparam("of")).values(used_until=bindparam("until"))
_alive = (
    select(func.count())
    .select_from(owners)
    .where(owners.c.beat_at > func.now() - text(f"interval '{SILENT_S} s'"))
    .scalar_subquery()
)
_now = select(
    cast(func.extract("epoch", func.clock_timestamp()), Float),  # by when the locks are ours
    _alive,
    func.set_config("synchronous_commit", "off", True),  # what a crash forgets would soon be past
)


class PostgresLimiter:
    """Implements `Limiter`. Books ahead, so that a process asks a few times a second at most."""

    block_s = BLOCK_S

    def __init__(self, database: Database) -> None:
        self._database = database

    async def book(self, bookings: Sequence[Booking], *, within_s: float) -> Booked:
        """Book amounts of several rates; see `Limiter.book`."""
        return await self._database.write(partial(_book, bookings=bookings, within_s=within_s))

    async def close(self) -> None:
        """Do nothing: the database is its owner's to close."""


def _book(connection: Connection, *, bookings: Sequence[Booking], within_s: float) -> Booked:
    names = [booking.rate.name for booking in bookings]
    used = _locked(connection, names)
    if missing := sorted(set(names) - set(used)):
        connection.execute(_add, [{"name": name, "used_until": 0.0} for name in missing])
        used = _locked(connection, names)
    now, processes, _ = connection.execute(_now).one()
    booked = book([used[name] for name in names], bookings, now=now, within_s=within_s)
    connection.execute(_move, [{"of": name, "until": until} for name, until in zip(names, booked.marks, strict=True)])
    return booked._replace(processes=processes)


def _locked(connection: Connection, names: Sequence[str]) -> dict[str, float]:
    """Return up to when the rates are used that have a row, which nobody else changes before this transaction ends."""
    return {row.name: row.used_until for row in connection.execute(_used, {"names": names})}
