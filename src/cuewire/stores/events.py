"""What happened, by whom: written in the transaction of what happened, read in the order in which it became true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, exists, func, insert, select, text

from cuewire.model.events import Event
from cuewire.stores.database import Database
from cuewire.stores.patterns import name_fits
from cuewire.stores.schema import PROJECT, events, prompts

_IN_TURN = text("SELECT pg_advisory_xact_lock(7241169254001)")
"""Held until the transaction ends, so that events become visible in the order of their ids."""
_data = msgspec.json.Decoder(dict[str, Any])


class SqlEventStore:
    """Implements `EventStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, action: str, data: Mapping[str, Any], *, by: str) -> None:
        """Store what somebody did beside the tables."""
        at = self._database.clock.now()
        await self._database.write(partial(add_event, at=at, actor=by, action=action, data=data))

    async def list(
        self, *, limit: int, after: int = 0, prompt_id: int | None = None, among: Sequence[str] | None = None
    ) -> Sequence[Event]:
        """Return events by id."""
        query = select(events).where(events.c.project_id == PROJECT, events.c.id > after)
        if prompt_id is not None:
            query = query.where(events.c.prompt_id == prompt_id)
        if among is not None:
            # Of each event in turn, because those that came since are few, and the prompts that are seen may be many.
            is_seen = (prompts.c.id == events.c.prompt_id, prompts.c.project_id == PROJECT)
            query = query.where(exists().where(*is_seen, name_fits(prompts.c.name, among)))
        query = query.order_by(events.c.id).limit(limit)
        return await self._database.read(
            lambda connection: tuple(
                Event(
                    id=row.id,
                    at=row.at,
                    actor=row.actor,
                    action=row.action,
                    prompt_id=row.prompt_id,
                    data=_data.decode(row.data),
                )
                for row in connection.execute(query)
            )
        )

    async def last(self) -> int:
        """Return the id of the newest event, 0 if there is none."""
        query = select(func.max(events.c.id)).where(events.c.project_id == PROJECT)
        return await self._database.read(lambda connection: connection.scalar(query) or 0)


def add_event(
    connection: Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    data: Mapping[str, Any],
    prompt_id: int | None = None,
) -> None:
    """Store an event within the transaction that makes it true."""
    add_events(connection, [(action, data)], at=at, actor=actor, prompt_id=prompt_id)


def add_events(
    connection: Connection,
    told: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    at: datetime,
    actor: str,
    prompt_id: int | None = None,
) -> None:
    """Store what happened at once, each with its action and data, in this order."""
    if connection.dialect.name == "postgresql":
        connection.execute(_IN_TURN)
    of_all = {"project_id": PROJECT, "at": at, "actor": actor, "prompt_id": prompt_id}
    rows = [{**of_all, "action": action, "data": msgspec.json.encode(data).decode()} for action, data in told]
    connection.execute(insert(events), rows)
