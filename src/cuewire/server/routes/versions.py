"""Versions and labels over HTTP: look up, list, draft, move a label, compare."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.registry.access import authorize
from cuewire.registry.prompts import Registry
from cuewire.server.documented import documented
from cuewire.server.exchange import Exchange
from cuewire.server.replies import REPLIED, as_json, exchange_of, plain
from cuewire.server.routes.prompts import published
from cuewire.wire.diffs import DiffRequest, DiffShape
from cuewire.wire.prompts import DraftRequest, LabelRequest, PublishedShape, version_options
from cuewire.wire.queries import HomeQuery
from cuewire.wire.strict_json import decode
from cuewire.wire.versions import VariablesRequest, VariablesShape, VersionList, VersionShape

ONE_VERSION = re.compile(r"/api/v1/prompts/([^/]+)/versions/([^/]+)")
"""The path of one version."""


class VersionRoutes:
    """What is answered of versions and labels."""

    def __init__(self, app: LocalApp) -> None:
        self._app = app
        self.router = router = APIRouter(prefix="/api/v1/prompts", tags=["versions"])
        router.add_api_route(
            "/variables",
            self.variables,
            methods=["POST"],
            **documented(
                "prompts:read",
                "List the variables of what is not published",
                body=VariablesRequest,
                reply=VariablesShape,
            ),
        )
        router.add_api_route(
            "/{prompt}/versions",
            self.versions,
            methods=["GET"],
            **documented("prompts:read", "List all versions, newest first", reply=VersionList),
        )
        router.add_api_route(
            "/{prompt}/versions",
            self.draft,
            methods=["POST"],
            **documented(
                "prompts:write",
                "Make a version from an earlier one",
                body=DraftRequest,
                reply=PublishedShape,
                status=201,
            ),
        )
        router.add_api_route(
            "/{prompt}/versions/{which}",
            self.get_cold,
            methods=["GET"],
            **documented("prompts:read", "Look up a version by number or label", reply=VersionShape),
        )
        router.add_api_route(
            "/{prompt}/labels",
            self.label,
            methods=["POST"],
            **documented("prompts:publish", "Move a label to a version", body=LabelRequest, reply=VersionShape),
        )
        router.add_api_route(
            "/{prompt}/diff",
            self.diff,
            methods=["POST"],
            **documented("prompts:read", "Compare two versions", body=DiffRequest, reply=DiffShape),
        )

    async def variables(self, request: Request) -> Response:
        """List the variables that a version of this content would have, in order; nothing is stored."""
        asked = decode(await exchange_of(request).body(), VariablesRequest)
        return as_json(VariablesShape.of(await self._prompts(request).variables(asked.content)))

    async def versions(self, request: Request, prompt: str, query: Annotated[HomeQuery, Query()]) -> Response:
        """Return all versions, newest first."""
        return as_json(VersionList.of(await self._prompts(request).versions(plain(prompt), **query.home())))

    async def draft(self, request: Request, prompt: str, query: Annotated[HomeQuery, Query()]) -> Response:
        """Store a version made from an earlier one; what is not given is as it is there."""
        asked = decode(await exchange_of(request).body(), DraftRequest)
        prompts, home = self._prompts(request), query.home()
        parent = asked.parent if asked.parent is not None else (await prompts.find(plain(prompt), **home)).versions
        version = await prompts.draft(
            plain(prompt), parent, asked.content, labels=asked.labels, **version_options(asked), **home
        )
        return await published(self._app, version, asked.labels, status=201)

    async def get(self, exchange: Exchange, prompt: str, which: str) -> None:
        """Return a version by number or label: the hot route of programs that run prompts themselves."""
        exchange.route = "version"
        authorize(exchange.actor, "prompts:read")
        home = HomeQuery.of(exchange.query).home()
        version = await self._app.prompts.by(exchange.actor).get(f"{plain(prompt)}@{plain(which)}", **home)
        await exchange.reply(VersionShape.of(version))

    async def get_cold(
        self, request: Request, prompt: str, which: str, query: Annotated[HomeQuery, Query()]
    ) -> Response:
        """Return a version by number or label: the strategy's, else the global one, in the nearest language."""
        await self.get(exchange_of(request), prompt, which)
        return REPLIED

    async def label(self, request: Request, prompt: str, query: Annotated[HomeQuery, Query()]) -> Response:
        """Move a label to a version: the roll-out, and the way back."""
        asked = decode(await exchange_of(request).body(), LabelRequest)
        moved = await self._prompts(request).label(
            plain(prompt), asked.label, asked.number, expected=asked.expected, **query.home()
        )
        return as_json(VersionShape.of(moved))

    async def diff(self, request: Request, prompt: str, query: Annotated[HomeQuery, Query()]) -> Response:
        """Compare two versions line by line, with inputs also as they come out; nothing is run or stored."""
        asked = decode(await exchange_of(request).body(), DiffRequest)
        found = await self._prompts(request).diff(
            plain(prompt), asked.first, asked.second, inputs=asked.inputs, **query.home()
        )
        return as_json(DiffShape.of(found))

    def _prompts(self, request: Request) -> Registry:
        return self._app.prompts.by(exchange_of(request).actor)
