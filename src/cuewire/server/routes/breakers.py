"""Circuit breakers over HTTP: how those of this process are, and turning one by hand."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.server.documented import documented
from cuewire.server.replies import as_json, exchange_of
from cuewire.wire.breakers import BreakerList, BreakerRequest, BreakerShape
from cuewire.wire.strict_json import decode


class BreakerRoutes:
    """What is answered of breakers."""

    def __init__(self, app: LocalApp) -> None:
        self._breakers = app.breakers
        self.router = router = APIRouter(prefix="/api/v1/breakers", tags=["server"])
        router.add_api_route(
            "",
            self.list,
            methods=["GET"],
            **documented("metrics:read", "List circuit breakers, by model", reply=BreakerList),
        )
        router.add_api_route(
            "",
            self.turn,
            methods=["PUT"],
            **documented("scopes:write", "Open or close one by hand", body=BreakerRequest, reply=BreakerShape),
        )

    async def list(self, request: Request) -> Response:
        """Return how the breakers of this process are; there is one for each model that it has called."""
        return as_json(BreakerList.of(await self._breakers.by(exchange_of(request).actor).list()))

    async def turn(self, request: Request) -> Response:
        """Stop all calls to a model, let all through, or leave it to how they end again; in this process alone."""
        exchange = exchange_of(request)
        asked = decode(await exchange.body(), BreakerRequest)
        return as_json(BreakerShape.of(await self._breakers.by(exchange.actor).turn(asked.model, asked.status)))
