"""The server about itself: probes, figures, its OpenAPI document and the page that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.server.documented import declared, documented
from cuewire.server.metrics import CONTENT_TYPE, Metrics
from cuewire.server.pages import PAGES, text_of
from cuewire.server.pages import POLICY as PAGES_POLICY
from cuewire.server.reference import POLICY, page
from cuewire.server.replies import as_json, exchange_of
from cuewire.server.running import Running


class SystemRoutes:
    """What is answered of the server."""

    def __init__(
        self, app: LocalApp, running: Running, *, metrics: Metrics, openapi: Callable[[], dict[str, Any]]
    ) -> None:
        self._app = app
        self._running = running
        self._metrics = metrics
        self._openapi = openapi
        self.router = router = APIRouter(tags=["server"])
        probe: dict[str, Any] = documented("probe", "Tell that the process runs", reply=dict[str, str])
        router.add_api_route("/healthz", self.health, methods=["GET"], **probe)
        probe = documented("probe", "Tell whether it takes work", reply=dict[str, str])
        router.add_api_route("/readyz", self.ready, methods=["GET"], **probe)
        figures = documented("metrics:read", "Figures for Prometheus", media_type="text/plain")
        router.add_api_route("/metrics", self.figures, methods=["GET"], **figures)
        unlisted: dict[str, Any] = {"methods": ["GET"], "include_in_schema": False}
        router.add_api_route("/openapi.json", self.openapi, openapi_extra=declared("session"), **unlisted)
        router.add_api_route("/docs", self.docs, openapi_extra=declared("session"), **unlisted)
        for path in PAGES:
            router.add_api_route(path, self.file, openapi_extra=declared("probe"), **unlisted)

    async def health(self) -> Response:
        """Tell that the process runs."""
        return as_json({"status": "ok"})

    async def ready(self) -> Response:
        """Tell whether the server takes work; not while its database is away, and not any more while it ends."""
        if self._running.is_ending:
            return as_json({"status": "ending"}, status=503)
        if not self._app.is_ready:
            return as_json({"status": "database away"}, status=503)
        return as_json({"status": "ok"})

    async def figures(self) -> Response:
        """Return the counters."""
        app = self._app
        text = self._metrics.text(
            running=len(self._running), tally=app.tally, breakers=app.breaker_states, limits=app.limits.states()
        )
        return Response(text, media_type=CONTENT_TYPE.decode())

    async def openapi(self) -> Response:
        """Return the OpenAPI document."""
        return as_json(self._openapi())

    async def docs(self) -> Response:
        """Return the page that shows the OpenAPI document."""
        return Response(
            page(msgspec.to_builtins(self._openapi())),
            media_type="text/html",
            headers={"content-security-policy": POLICY},
        )

    async def file(self, request: Request) -> Response:
        """Return a file of the first page."""
        path = exchange_of(request).path
        return Response(text_of(path), media_type=PAGES[path][0], headers={"content-security-policy": PAGES_POLICY})
