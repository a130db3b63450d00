"""Users over HTTP: list, add, give another role, disable and enable."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.server.documented import documented
from cuewire.server.replies import as_json, exchange_of, plain
from cuewire.wire.keys import UserChange, UserList, UserRequest, UserShape
from cuewire.wire.strict_json import decode


class UserRoutes:
    """What is answered of users."""

    def __init__(self, app: LocalApp) -> None:
        self._users = app.users
        self.router = router = APIRouter(prefix="/api/v1/users", tags=["access"])
        router.add_api_route(
            "", self.list, methods=["GET"], **documented("users:admin", "List users by name", reply=UserList)
        )
        router.add_api_route(
            "",
            self.add,
            methods=["POST"],
            **documented("users:admin", "Add a user", body=UserRequest, reply=UserShape),
        )
        router.add_api_route(
            "/{name}",
            self.change,
            methods=["PATCH"],
            **documented("users:admin", "Give a role, disable or enable", body=UserChange, reply=UserShape),
        )

    async def list(self, request: Request) -> Response:
        """List users by name."""
        return as_json(UserList.of(await self._users.list(by=exchange_of(request).actor)))

    async def add(self, request: Request) -> Response:
        """Add a user, who has no key yet."""
        exchange = exchange_of(request)
        asked = decode(await exchange.body(), UserRequest)
        return as_json(UserShape.of(await self._users.add(asked.name, role=asked.role, by=exchange.actor)))

    async def change(self, request: Request, name: str) -> Response:
        """Give a user another role, or disable or enable them; their keys follow within a second."""
        exchange = exchange_of(request)
        asked = decode(await exchange.body(), UserChange)
        user = await self._users.change(plain(name), role=asked.role, disabled=asked.disabled, by=exchange.actor)
        return as_json(UserShape.of(user))
