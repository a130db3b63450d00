"""Prompts over HTTP: list, look up, create, change, archive. A slash in a name is written %2F; digits are an id."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from msgspec import UNSET, UnsetType

from cuewire.engine.app import LocalApp
from cuewire.model.errors import InvalidInput, PromptNotFound
from cuewire.model.prompts import Home, Prompt, PromptVersion
from cuewire.model.references import DEFAULT_LABEL
from cuewire.registry.prompts import Registry
from cuewire.server.documented import documented
from cuewire.server.replies import as_json, exchange_of, if_match, plain, tagged
from cuewire.wire.events import EventList
from cuewire.wire.prompts import (
    CloneRequest,
    CreateRequest,
    NewPromptRequest,
    PromptDetailShape,
    PromptPage,
    PromptShape,
    PublishedShape,
    UpdateRequest,
    VersionRequest,
    home_of,
    version_options,
)
from cuewire.wire.queries import HistoryQuery, HomeQuery, PromptQuery, ShownQuery
from cuewire.wire.strict_json import decode

REVISION = ("If-Match",)
_LIST = documented("prompts:read", "List prompts", reply=PromptPage)
_CREATE = documented("prompts:write", "Create a prompt", body=CreateRequest, reply=PublishedShape, status=201)
_GET = documented("prompts:read", "Look up a prompt and the version it runs", reply=PromptDetailShape)
_UPDATE = documented(
    "prompts:write",
    "Change a prompt: with content a new version; it is created if need be",
    body=UpdateRequest,
    reply=PublishedShape,
    headers=REVISION,
)
_ARCHIVE = documented("prompts:publish", "Archive a prompt", reply=PromptShape, headers=REVISION)
_RESTORE = documented("prompts:publish", "Bring an archived prompt back", reply=PromptShape)
_CLONE = documented(
    "prompts:write", "Make a new prompt of what this one says", body=CloneRequest, reply=PublishedShape, status=201
)
_HISTORY = documented("prompts:read", "List what happened to a prompt, and by whom", reply=EventList)


class PromptRoutes:
    """What is answered of prompts."""

    def __init__(self, app: LocalApp) -> None:
        self._app = app
        self.router = router = APIRouter(prefix="/api/v1/prompts", tags=["prompts"])
        for path in ("", "/"):
            is_shown = path == "/"
            router.add_api_route(path, self.list, methods=["GET"], include_in_schema=is_shown, **_LIST)
            router.add_api_route(path, self.create, methods=["POST"], include_in_schema=is_shown, **_CREATE)
        router.add_api_route("/{prompt}", self.get, methods=["GET"], **_GET)
        router.add_api_route("/{prompt}", self.update, methods=["PUT"], **_UPDATE)
        router.add_api_route("/{prompt}", self.archive, methods=["DELETE"], **_ARCHIVE)
        router.add_api_route("/{prompt}/restore", self.restore, methods=["POST"], **_RESTORE)
        router.add_api_route("/{prompt}/clone", self.clone, methods=["POST"], **_CLONE)
        router.add_api_route("/{prompt}/history", self.history, methods=["GET"], **_HISTORY)

    async def list(self, request: Request, query: Annotated[PromptQuery, Query()]) -> Response:
        """List prompts: page by page, or after a cursor."""
        number, size = query.place()
        page = await self._prompts(request).list(limit=size, after=query.after, page=number, wanted=query.wanted())
        return as_json(PromptPage.of(page, number=number, size=size))

    async def create(self, request: Request) -> Response:
        """Store a new prompt with its first version. There must be none of the name, strategy and language."""
        asked = decode(await exchange_of(request).body(), CreateRequest)
        return await self.create_in(request, asked, home_of(asked.strategy, asked.language))

    async def create_in(self, request: Request, asked: NewPromptRequest, home: Home) -> Response:
        """Store a new prompt where it belongs."""
        version = await self._prompts(request).publish(
            asked.name,
            asked.content,
            labels=asked.labels,
            publish=asked.publish,
            new=True,
            **version_options(asked),
            **home,
        )
        return await published(self._app, version, _labels(asked), status=201)

    async def get(self, request: Request, prompt: str, query: Annotated[ShownQuery, Query()]) -> Response:
        """Return a prompt by its id, or by its name in exactly the strategy and language of the query."""
        prompts = self._prompts(request)
        found = await prompts.find(plain(prompt), **query.home())
        if found.archived and not query.archived:
            raise PromptNotFound(
                f"prompt {found.name!r} is archived", field="/prompt", hint="see it with ?archived=true"
            )
        return tagged(as_json(PromptDetailShape.with_version(found, await prompts.current(found))), found)

    async def update(self, request: Request, prompt: str, query: Annotated[HomeQuery, Query()]) -> Response:
        """Store a new version if there is content, unless it equals the newest one, and change what is said of it."""
        return await self.update_in(request, plain(prompt), query.home())

    async def update_in(self, request: Request, name: str, home: Home) -> Response:
        """Change the prompt of a name or id where it belongs."""
        asked = decode(await exchange_of(request).body(), UpdateRequest)
        prompts, revision = self._prompts(request), if_match(request)
        options: dict[str, Any] = {**version_options(asked), **home}
        if asked.content is UNSET:
            return await self._edit(prompts, name, asked, options, revision)
        version = await prompts.publish(
            name,
            asked.content,
            labels=asked.labels,
            publish=asked.publish,
            revision=revision,
            status=_status(asked.is_active),
            **options,
        )
        return await published(self._app, version, _labels(asked))

    async def archive(self, request: Request, prompt: str, query: Annotated[HomeQuery, Query()]) -> Response:
        """Archive a prompt: it keeps its history, no longer runs, and gives its name free."""
        return await self.archive_in(request, plain(prompt), query.home())

    async def archive_in(self, request: Request, name: str, home: Home) -> Response:
        """Archive the prompt of a name or id where it belongs."""
        archived = await self._prompts(request).archive(name, revision=if_match(request), **home)
        return tagged(as_json(PromptShape.of(archived)), archived)

    async def restore(self, request: Request, prompt: str, query: Annotated[HomeQuery, Query()]) -> Response:
        """Bring an archived prompt back, unless another one took its name."""
        restored = await self._prompts(request).restore(plain(prompt), **query.home())
        return tagged(as_json(PromptShape.of(restored)), restored)

    async def clone(self, request: Request, prompt: str, query: Annotated[HomeQuery, Query()]) -> Response:
        """Publish what a prompt says in production, else newest, as a new prompt."""
        asked = decode(await exchange_of(request).body(), CloneRequest)
        version = await self._prompts(request).clone(
            plain(prompt), asked.name, source=query.home(), **home_of(asked.strategy, asked.language)
        )
        return await published(self._app, version, [DEFAULT_LABEL], status=201)

    async def history(self, request: Request, prompt: str, query: Annotated[HistoryQuery, Query()]) -> Response:
        """Return what happened to a prompt, oldest first."""
        events = await self._prompts(request).history(
            plain(prompt), limit=query.limit, after=query.after, **query.home()
        )
        return as_json(EventList.of(events))

    async def _edit(
        self, prompts: Registry, name: str, asked: UpdateRequest, options: dict[str, Any], revision: int | None
    ) -> Response:
        of_version = options.keys() & {*VersionRequest.__struct_fields__}
        if asked.labels:
            of_version |= {"labels"}
        if of_version:
            raise InvalidInput(
                "these say what a new version is, and that needs content",
                problems=tuple((f"/{name}", "needs /content beside it") for name in sorted(of_version)),
                hint="send content too, or POST to .../versions, which takes the rest from an earlier version",
            )
        if (status := _status(asked.is_active)) is not None:
            options["status"] = status
        changed = await prompts.edit(name, revision=revision, **options)
        return tagged(as_json(PublishedShape.of(changed, await prompts.current(changed))), changed)

    def _prompts(self, request: Request) -> Registry:
        return self._app.prompts.by(exchange_of(request).actor)


async def published(app: LocalApp, version: PromptVersion, labels: Collection[str], *, status: int = 200) -> Response:
    """Return the reply to whoever published a version that was to get these labels.

    It is read by the server itself: who may write is told what was written.
    """
    prompt: Prompt = await app.prompts.find(str(version.prompt_id))
    reviews = {}
    if any(prompt.labels.get(label) != version.number for label in labels):
        waiting = await app.reviews.list(str(prompt.id), status="pending")
        reviews = {each.label: each.id for each in waiting if each.label in labels and each.number == version.number}
    reply = tagged(as_json(PublishedShape.of(prompt, version, reviews=reviews), status=status), prompt)
    if status == 201:
        reply.headers["location"] = f"/api/v1/prompts/{prompt.id}"
    return reply


def _labels(asked: NewPromptRequest | UpdateRequest) -> set[str]:
    """Return the labels that a new version is to get."""
    return {*asked.labels, *([DEFAULT_LABEL] if asked.publish else [])}


def _status(is_active: bool | UnsetType) -> Literal["active", "inactive"] | None:
    if is_active is UNSET:
        return None
    return "active" if is_active else "inactive"
