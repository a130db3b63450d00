"""The audit log over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.server.documented import documented
from cuewire.server.replies import as_json, exchange_of
from cuewire.wire.events import EventList
from cuewire.wire.queries import EventQuery


class EventRoutes:
    """What is answered of events."""

    def __init__(self, app: LocalApp) -> None:
        self._events = app.events
        self.router = router = APIRouter(prefix="/api/v1/events", tags=["access"])
        router.add_api_route(
            "",
            self.list,
            methods=["GET"],
            **documented("events:read", "List what happened, and by whom", reply=EventList),
        )

    async def list(self, request: Request, query: Annotated[EventQuery, Query()]) -> Response:
        """Return what happened to prompts, labels, scopes, users and keys, oldest first."""
        events = await self._events.by(exchange_of(request).actor).list(limit=query.limit, after=query.after)
        return as_json(EventList.of(events))
