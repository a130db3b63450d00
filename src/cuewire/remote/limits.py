"""The limits of a server's process."""

from __future__ import annotations

import builtins

from cuewire.model.limits import LimitState
from cuewire.remote.server import Server, path_of
from cuewire.wire.limits import LimitList


class RemoteLimits:
    """Implements `LimitsFace` on a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def list(self) -> builtins.list[LimitState]:
        """Return how all of them are, by name."""
        return [item.state() for item in (await self._server.get(path_of("limits"), LimitList)).items]
