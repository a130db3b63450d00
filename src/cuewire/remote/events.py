"""What happened on a server."""

from __future__ import annotations

import builtins

from cuewire.model.events import Event
from cuewire.remote.server import Server
from cuewire.wire.events import EventList


class RemoteEvents:
    """Implements `EventsFace` on a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def list(self, *, limit: int = 100, after: int = 0) -> builtins.list[Event]:
        """Return what happened, oldest first; `after` is the id of the last event seen."""
        return (await self._server.get("/events", EventList, query={"limit": limit, "after": after})).events()
