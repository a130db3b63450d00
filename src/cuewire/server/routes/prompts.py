"""Prompts over HTTP: list, look up, publish, label, archive. A slash in a name is written %2F."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from cuewire.ports import App
from cuewire.server.documented import documented
from cuewire.server.replies import as_json, exchange_of, plain
from cuewire.wire.prompts import (
    LabelRequest,
    PromptPage,
    PromptShape,
    PublishRequest,
    VariablesRequest,
    VariablesShape,
    VersionList,
    VersionShape,
)
from cuewire.wire.queries import PromptQuery
from cuewire.wire.strict_json import decode


class PromptRoutes:
    """What is answered of prompts."""

    def __init__(self, app: App) -> None:
        self._prompts = app.prompts
        self.router = router = APIRouter(prefix="/api/v1/prompts", tags=["prompts"])
        router.add_api_route(
            "", self.list, methods=["GET"], **documented("prompts:read", "List prompts by name", reply=PromptPage)
        )
        router.add_api_route(
            "/{reference}",
            self.get,
            methods=["GET"],
            **documented("prompts:read", "Look up a version by name, name@label or name@7", reply=VersionShape),
        )
        router.add_api_route(
            "/{name}",
            self.publish,
            methods=["PUT"],
            **documented("prompts:publish", "Publish a version", body=PublishRequest, reply=VersionShape),
        )
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
            "/{name}/versions",
            self.versions,
            methods=["GET"],
            **documented("prompts:read", "List all versions, newest first", reply=VersionList),
        )
        router.add_api_route(
            "/{name}/labels",
            self.label,
            methods=["POST"],
            **documented("prompts:publish", "Move a label to a version", body=LabelRequest, reply=VersionShape),
        )
        router.add_api_route(
            "/{name}/archive",
            self.archive,
            methods=["POST"],
            **documented("prompts:publish", "Archive a prompt", reply=PromptShape),
        )

    async def list(self, query: Annotated[PromptQuery, Query()]) -> Response:
        """List prompts by name."""
        page = await self._prompts.list(limit=query.limit, after=query.after, archived=query.archived)
        return as_json(PromptPage.of(page))

    async def get(self, reference: str) -> Response:
        """Return a version by `name`, `name@label` or `name@7`."""
        return as_json(VersionShape.of(await self._prompts.get(plain(reference))))

    async def publish(self, request: Request, name: str) -> Response:
        """Store a new version, unless it equals the newest one, and move labels to it."""
        asked = decode(await exchange_of(request).body(), PublishRequest)
        version = await self._prompts.publish(
            plain(name), asked.content, labels=asked.labels, publish=asked.publish, **asked.options()
        )
        return as_json(VersionShape.of(version))

    async def variables(self, request: Request) -> Response:
        """List the variables that a version of this content would have, in order; nothing is stored."""
        asked = decode(await exchange_of(request).body(), VariablesRequest)
        return as_json(VariablesShape.of(await self._prompts.variables(asked.content)))

    async def versions(self, name: str) -> Response:
        """Return all versions, newest first."""
        return as_json(VersionList.of(await self._prompts.versions(plain(name))))

    async def label(self, request: Request, name: str) -> Response:
        """Move a label to a version: the roll-out, and the way back."""
        asked = decode(await exchange_of(request).body(), LabelRequest)
        return as_json(VersionShape.of(await self._prompts.label(plain(name), asked.label, asked.number)))

    async def archive(self, name: str) -> Response:
        """Archive a prompt: it keeps its history and no longer runs."""
        return as_json(PromptShape.of(await self._prompts.archive(plain(name))))
