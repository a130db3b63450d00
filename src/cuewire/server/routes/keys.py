"""API keys over HTTP: list, make, revoke. Nobody makes a key that may do more than their own."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.server.documented import documented
from cuewire.server.replies import as_json, exchange_of, plain
from cuewire.wire.keys import IssuedKeyShape, KeyList, KeyRequest, KeyShape
from cuewire.wire.strict_json import decode


class KeyRoutes:
    """What is answered of keys."""

    def __init__(self, app: LocalApp) -> None:
        self._keys = app.keys
        self.router = router = APIRouter(prefix="/api/v1/keys", tags=["access"])
        router.add_api_route(
            "", self.list, methods=["GET"], **documented("keys:admin", "List API keys, oldest first", reply=KeyList)
        )
        router.add_api_route(
            "",
            self.issue,
            methods=["POST"],
            **documented("keys:admin", "Make an API key", body=KeyRequest, reply=IssuedKeyShape),
        )
        router.add_api_route(
            "/{key_id}/revoke",
            self.revoke,
            methods=["POST"],
            **documented("keys:admin", "Revoke an API key", reply=KeyShape),
        )

    async def list(self, request: Request) -> Response:
        """List the keys that may do no more than the one that asks, without their secrets."""
        return as_json(KeyList.of(await self._keys.list(by=exchange_of(request).actor)))

    async def issue(self, request: Request) -> Response:
        """Make a key, whose text is in this reply only; it belongs to who makes it, unless another user is named."""
        exchange = exchange_of(request)
        asked = decode(await exchange.body(), KeyRequest)
        maker = exchange.key.user if exchange.key else None
        issued = await self._keys.issue(
            asked.name,
            by=exchange.actor,
            role=asked.role,
            scopes=asked.scopes,
            prompts=asked.prompts,
            expires_at=asked.expires_at,
            user=asked.user if asked.user is not None or maker is None else maker.name,
        )
        return as_json(IssuedKeyShape.of_issued(issued))

    async def revoke(self, request: Request, key_id: str) -> Response:
        """Revoke a key, for good: it opens nothing any more after a second."""
        return as_json(KeyShape.of(await self._keys.revoke(plain(key_id), by=exchange_of(request).actor)))
