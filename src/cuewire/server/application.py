"""The whole server as one ASGI application: the guard, the table of hot routes, and FastAPI for all others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from cuewire.engine.app import LocalApp
from cuewire.model.errors import CuewireError
from cuewire.ports import Clock
from cuewire.server.documented import document, operation_id
from cuewire.server.exchange import Exchange
from cuewire.server.guard import Access, Guard, Handler
from cuewire.server.permits import check_actions, permit
from cuewire.server.replies import KEY, REPLIED, exchange_of
from cuewire.server.routes.breakers import BreakerRoutes
from cuewire.server.routes.bundles import BundleRoutes
from cuewire.server.routes.cache import CacheRoutes
from cuewire.server.routes.dispatch import DispatchRoute
from cuewire.server.routes.events import EventRoutes
from cuewire.server.routes.executions import ExecutionRoutes
from cuewire.server.routes.keys import KeyRoutes
from cuewire.server.routes.limits import LimitRoutes
from cuewire.server.routes.live import LiveRoutes
from cuewire.server.routes.openai import OpenAIRoutes
from cuewire.server.routes.prompts import PromptRoutes
from cuewire.server.routes.reviews import ReviewRoutes
from cuewire.server.routes.scopes import ScopeRoutes
from cuewire.server.routes.sessions import SessionRoutes
from cuewire.server.routes.strategy_prompts import StrategyPromptRoutes
from cuewire.server.routes.system import SystemRoutes
from cuewire.server.routes.templates import TemplateRoutes
from cuewire.server.routes.users import UserRoutes
from cuewire.server.routes.versions import ONE_VERSION, VersionRoutes
from cuewire.server.running import Running
from cuewire.server.sockets import Socket
from cuewire.wire.problems import Refused
from cuewire.wire.queries import misread

_OF_OPENAI = "of OpenAI's protocol there are /v1/chat/completions, /v1/embeddings and /v1/models"


class Application:
    """Serves an App of this process. `guard` is what an ASGI server calls."""

    def __init__(self, app: LocalApp, *, access: Access, clock: Clock) -> None:
        self.running = Running()
        self.guard = Guard(self._handle, keys=app.keys, sign_ins=app.sign_ins, access=access, clock=clock)
        executions = ExecutionRoutes(app, self.running)
        openai = OpenAIRoutes(app, self.running)
        prompts, self._versions = PromptRoutes(app), VersionRoutes(app)
        self._live = LiveRoutes(app, self.running, still_admits=self.guard.still_admits)
        self._hot: Mapping[tuple[str, str], Handler] = {
            ("POST", "/api/v1/executions"): executions.run,
            ("POST", "/v1/chat/completions"): openai.complete,
        }
        self._cold = cold = FastAPI(
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            dependencies=[Depends(permit)],
            generate_unique_id_function=operation_id,
        )
        self.openapi = cache(lambda: document(cold))
        system = SystemRoutes(app, self.running, metrics=self.guard.metrics, openapi=self.openapi)
        routers = [
            self._live.router,
            executions.router,
            openai.router,
            TemplateRoutes(app).router,
            BundleRoutes(app).router,
            self._versions.router,
            ReviewRoutes(app).router,
            prompts.router,
            StrategyPromptRoutes(app, prompts).router,
            ScopeRoutes(app, "strategies").router,
            ScopeRoutes(app, "configurations").router,
            EventRoutes(app).router,
            CacheRoutes(app).router,
            BreakerRoutes(app).router,
            LimitRoutes(app).router,
            DispatchRoute(app, executions, self.running).router,
            SessionRoutes(app).router,
            KeyRoutes(app).router,
            UserRoutes(app).router,
            system.router,
        ]
        for router in routers:
            cold.include_router(router)
        self.routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
        cold.add_exception_handler(CuewireError, _refuse)
        cold.add_exception_handler(RequestValidationError, _refuse_query)
        cold.add_exception_handler(HTTPException, self._refuse_route)
        cold.add_exception_handler(Exception, _refuse_fault)
        check_actions(self.routes)

    async def _handle(self, exchange: Exchange) -> None:
        if isinstance(exchange, Socket):
            await self._open(exchange)
            return
        if hot := self._hot.get((exchange.method, exchange.path)):
            await hot(exchange)
            return
        if exchange.method == "GET" and (named := ONE_VERSION.fullmatch(exchange.path)):
            await self._versions.get(exchange, *named.groups())
            return
        scope = exchange.scope
        scope[KEY] = exchange
        scope["path"] = exchange.path  # not yet decoded, so that a %2F in a name does not split it
        await self._cold(scope, exchange.receive, exchange.send)
        route = scope.get("route")
        if isinstance(route, APIRoute) and exchange.method in (route.methods or ()):
            exchange.route = f"{exchange.method} {route.path}"

    async def _open(self, socket: Socket) -> None:
        if socket.path not in self._live.sockets:
            hint = f"there are {' and '.join(self._live.sockets)}"
            raise Refused("route_not_found", "there is no WebSocket at this path", hint=hint)
        await self._live.messages(socket)

    async def _refuse_route(self, request: Request, error: Exception) -> Response:
        exchange = exchange_of(request)
        if isinstance(error, HTTPException) and error.status_code == 405:
            allowed = ", ".join(sorted(self._methods(exchange.path)))
            exchange.allowed = allowed.encode()
            await exchange.refuse(Refused("method_not_allowed", f"allowed here: {allowed}"))
        else:
            hint = _OF_OPENAI if exchange.path.startswith("/v1/") else "see /docs"
            await exchange.refuse(Refused("route_not_found", "there is nothing at this path", hint=hint))
        return REPLIED

    def _methods(self, path: str) -> set[str]:
        fitting = (route for route in self.routes if route.path_regex.match(path))
        return {method for route in fitting for method in route.methods or ()}


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, CuewireError), "registered for these only"
    await exchange_of(request).refuse(error)
    return REPLIED


async def _refuse_fault(request: Request, error: Exception) -> Response:  # noqa: ARG001  # the guard gets it to log it
    await exchange_of(request).refuse(Refused("internal_error", "the server failed; its log says more"))
    return REPLIED


async def _refuse_query(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for these only"
    await exchange_of(request).refuse(misread([(found["loc"][1:], found["msg"]) for found in error.errors()]))
    return REPLIED
