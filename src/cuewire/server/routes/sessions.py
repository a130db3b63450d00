"""Sessions of browsers: signing in with a link or an API key, and out again."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.model.actors import Actor
from cuewire.model.api_keys import ApiKey
from cuewire.model.errors import AccessDenied
from cuewire.registry.access import allowed
from cuewire.server.cookies import dropped, kept, session_in
from cuewire.server.documented import documented
from cuewire.server.exchange import Exchange
from cuewire.server.guard import SESSION_PATH
from cuewire.server.replies import as_json, exchange_of
from cuewire.wire.sessions import SessionShape, SignInRequest
from cuewire.wire.strict_json import decode


class SessionRoutes:
    """What is answered of sessions."""

    def __init__(self, app: LocalApp) -> None:
        self._app = app
        self.router = router = APIRouter(tags=["server"])
        router.add_api_route(
            SESSION_PATH,
            self.begin,
            methods=["POST"],
            **documented("sign_in", "Sign a browser in", body=SignInRequest, reply=SessionShape),
        )
        router.add_api_route(
            SESSION_PATH, self.show, methods=["GET"], **documented("session", "Tell who asks", reply=SessionShape)
        )
        router.add_api_route(
            SESSION_PATH,
            self.end,
            methods=["DELETE"],
            **documented("session", "Sign a browser out", reply=SessionShape),
        )

    async def begin(self, request: Request) -> Response:
        """Begin a session, which the reply sets as a cookie."""
        exchange = exchange_of(request)
        asked = decode(await exchange.body(), SignInRequest)
        session = await self._app.sign_ins.begin(asked.link or await self._link_for(asked.key))
        bearer = await self._app.sign_ins.recognise(session) if session else None
        if session is None or bearer is None:
            raise AccessDenied(
                "this link or API key opens nothing", hint="a link works once and for 15 minutes: make another one"
            )
        reply = as_json(_shown(bearer.key, bearer.actor))
        is_secure = (exchange.header(b"origin") or "").startswith("https://")
        reply.headers["set-cookie"] = kept(session, is_secure=is_secure)
        return reply

    async def show(self, request: Request) -> Response:
        """Return who asks."""
        return as_json(_who(exchange_of(request)))

    async def end(self, request: Request) -> Response:
        """End the session, if the request comes with one."""
        exchange = exchange_of(request)
        await self._app.sign_ins.end(session_in(exchange.header(b"cookie") or ""))
        reply = as_json(_who(exchange))
        reply.headers["set-cookie"] = dropped()
        return reply

    async def _link_for(self, text: str) -> str:
        bearer = await self._app.keys.recognise(text)
        return await self._app.sign_ins.invite(bearer.key.id) if bearer else ""


def _who(exchange: Exchange) -> SessionShape:
    assert exchange.key is not None, "the guard lets nobody else in"
    return _shown(exchange.key, exchange.actor)


def _shown(key: ApiKey, actor: Actor) -> SessionShape:
    return SessionShape(key_id=key.id, key_name=key.name, name=actor.name, role=actor.role, actions=allowed(actor))
