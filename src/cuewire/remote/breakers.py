"""The circuit breakers of a server's process."""

from __future__ import annotations

import builtins

from cuewire.model.breakers import BreakerState, BreakerTurn, check_turn
from cuewire.model.requests import parse_model
from cuewire.remote.server import Server, path_of
from cuewire.wire.breakers import BreakerList, BreakerRequest, BreakerShape


class RemoteBreakers:
    """Implements `BreakersFace` on a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def list(self) -> builtins.list[BreakerState]:
        """Return how all of them are, by model."""
        return [item.state() for item in (await self._server.get(path_of("breakers"), BreakerList)).items]

    async def turn(self, model: str, status: BreakerTurn) -> BreakerState:
        """Open or close one by hand, or leave it to itself again."""
        asked = BreakerRequest(model=str(parse_model(model)), status=check_turn(status))
        return (await self._server.send("PUT", path_of("breakers"), asked, BreakerShape)).state()
