"""Prompts on their way in and out, in the formats of other tools: each with a report of what could not be carried."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.model.bundles import Loss
from cuewire.model.prompt_files import FileChange
from cuewire.registry.imports import export_prompts, import_prompts
from cuewire.server.documented import documented
from cuewire.server.replies import as_json, exchange_of
from cuewire.wire.bundles import ImportedShape
from cuewire.wire.queries import ExportQuery, ImportQuery
from cuewire.wiring import read_prompts, write_prompts

LOSSES = "X-Cuewire-Losses"
_MEDIA_TYPES = {"bundle": "application/json", "langfuse": "application/json"}
_DOCUMENT = "application/octet-stream"
_ACCEPTED = (_DOCUMENT, "application/json", "application/yaml", "text/yaml", "text/plain")
_IMPORT = documented("prompts:write", "Import prompts", body=str, body_type=_DOCUMENT, reply=ImportedShape)
_EXPORT = documented("prompts:read", "Export prompts", reply=(dict, list), or_as=["text/plain"])


class BundleRoutes:
    """What is answered of bundles."""

    def __init__(self, app: LocalApp) -> None:
        self._app = app
        self.router = router = APIRouter(prefix="/api/v1/prompts", tags=["import and export"])
        router.add_api_route("/import", self.bring_in, methods=["POST"], **_IMPORT)
        router.add_api_route("/export", self.give_out, methods=["GET"], **_EXPORT)

    async def bring_in(self, request: Request, query: Annotated[ImportQuery, Query()]) -> Response:
        """Add the versions that are not there yet. What is there stays as it is, and so does what is in production.

        The body is the document, in the format of the query or in whichever it looks to be.
        """
        exchange = exchange_of(request)
        body = await exchange.body(accepted=_ACCEPTED)
        bundle = await asyncio.to_thread(read_prompts, body, format=query.format, name=query.name)
        prompts = self._app.prompts.by(exchange.actor)
        changes: list[FileChange] = []
        losses: list[Loss] = []
        async for told in import_prompts(prompts, bundle, labels=query.label, dry=query.dry_run):
            if isinstance(told, FileChange):
                changes.append(told)
            else:
                losses.append(told)
        return as_json(ImportedShape.of(changes, losses))

    async def give_out(self, request: Request, query: Annotated[ExportQuery, Query()]) -> Response:
        """Return the prompts of the query, or all, with all their versions, as one document.

        The header X-Cuewire-Losses counts what the format could not carry.
        """
        prompts = self._app.prompts.by(exchange_of(request).actor)
        versions = await export_prompts(prompts, names=query.name)
        exported = await asyncio.to_thread(write_prompts, versions, format=query.format)
        media_type = _MEDIA_TYPES.get(query.format, "text/plain; charset=utf-8")
        headers = {
            LOSSES: str(len(exported.losses)),
            "Content-Disposition": f'attachment; filename="prompts.{query.format}"',
        }
        return Response(exported.data, media_type=media_type, headers=headers)
