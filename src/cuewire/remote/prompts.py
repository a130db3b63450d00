"""Prompts on a server; what was read last still answers while the server is away."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Sequence
from typing import Any, TypeVar, Unpack

from msgspec import UNSET
from msgspec.structs import asdict

from cuewire.model.diffs import Diff
from cuewire.model.errors import NotFound, ServerUnavailable, StoreError
from cuewire.model.events import Event
from cuewire.model.live import OnChange
from cuewire.model.pages import Page
from cuewire.model.prompts import (
    EVERY_PROMPT,
    Content,
    EditOptions,
    Home,
    Inputs,
    Prompt,
    PromptFilter,
    PromptStats,
    PromptVersion,
    PublishOptions,
    Variable,
)
from cuewire.model.references import check_label, check_name, parse_reference
from cuewire.ports import Subscription
from cuewire.remote.last_known import LastKnown
from cuewire.remote.server import Server, path_of
from cuewire.remote.subscriptions import Subscriptions
from cuewire.wire.diffs import DiffRequest, DiffShape
from cuewire.wire.events import EventList
from cuewire.wire.live import read_prompts
from cuewire.wire.prompts import (
    TAKEN_NAMES,
    CloneRequest,
    CreateRequest,
    DraftRequest,
    LabelRequest,
    PromptDetailShape,
    PromptPage,
    PromptShape,
    PublishedShape,
    UpdateRequest,
)
from cuewire.wire.shapes import Shape
from cuewire.wire.templates import PromptStatsShape
from cuewire.wire.versions import VariablesRequest, VariablesShape, VersionList, VersionShape

S = TypeVar("S", bound=Shape)

logger = logging.getLogger("cuewire.remote")


class RemotePrompts:
    """Implements `PromptsFace` on a server.

    What would not be the same if it were heard twice is sent once: a lost connection then raises ServerUnavailable.
    """

    def __init__(self, server: Server, *, last_known: LastKnown, subscriptions: Subscriptions) -> None:
        self._server = server
        self._last_known = last_known
        self._subscriptions = subscriptions

    async def publish(
        self,
        name: str,
        content: Content,
        *,
        labels: Sequence[str] = (),
        publish: bool = False,
        new: bool = False,
        revision: int | None = None,
        **options: Unpack[PublishOptions],
    ) -> PromptVersion:
        """Store a new immutable version; see `PromptsFace.publish`."""
        home = _home(options)
        body: UpdateRequest | CreateRequest = UpdateRequest.of(content, labels=labels, publish=publish, options=options)
        if new:
            said = {field: value for field, value in asdict(body).items() if field not in ("is_active", "publish")}
            created = CreateRequest(name=check_name(name), publish=publish, **home, **said)
            return (await self._once("POST", "/prompts/", created, PublishedShape)).version.version()
        path = _path(name)
        if revision is not None:
            headers = _if_match(revision)
            return (await self._once("PUT", path, body, PublishedShape, query=home, headers=headers)).version.version()
        request = self._server.request("PUT", path, body=body, query=home)
        return (await self._server.fetch(request, PublishedShape)).version.version()

    async def draft(
        self,
        name: str,
        number: int,
        content: Content | None = None,
        *,
        labels: Sequence[str] = (),
        **options: Unpack[PublishOptions],
    ) -> PromptVersion:
        """Store a version made from an earlier one; see `PromptsFace.draft`."""
        body = DraftRequest.of(number, content, labels=labels, options=options)
        request = self._server.request("POST", _path(name, "versions"), body=body, query=_home(options))
        return (await self._server.fetch(request, PublishedShape)).version.version()

    async def variables(self, content: Content) -> dict[str, Variable]:
        """Return the variables that a version of this content would have."""
        path = path_of("prompts", "variables")
        return (await self._server.send("POST", path, VariablesRequest.of(content), VariablesShape)).found()

    async def get(self, reference: str, **home: Unpack[Home]) -> PromptVersion:
        """Return a version by `name`, `name@label` or `name@7`.

        While the server is away this is the version that the reference meant when it was last asked for, here or by
        an earlier process, and the event `prompts.stale` is logged as a warning.
        """
        wanted = parse_reference(reference, **home)
        said = {"strategy": wanted.strategy, "language": wanted.language}
        key = " ".join([str(wanted), *(f"{part}={name}" for part, name in said.items() if name is not None)])
        path = version_path(reference)
        try:
            shape = await self._server.get(path, VersionShape, query=home)
        except (ServerUnavailable, StoreError) as error:
            shown = await self._last_known.find(key)
            if shown is None:
                raise
            logger.warning("prompts.stale reference=%s version=%d reason=%s", wanted, shown.number, error.code)
            return shown.version()
        except NotFound:
            await self._last_known.forget(key)
            raise
        await self._last_known.keep(key, shape)
        return shape.version()

    async def versions(self, name: str, **home: Unpack[Home]) -> builtins.list[PromptVersion]:
        """Return all versions of a prompt, newest first."""
        return (await self._server.get(_path(name, "versions"), VersionList, query=home)).versions()

    async def label(
        self, name: str, label: str, number: int, *, expected: int | None = None, **home: Unpack[Home]
    ) -> PromptVersion:
        """Move a label to a version."""
        path = _path(name, "labels")
        body = LabelRequest(label=check_label(label), number=number, expected=expected)
        if expected is not None:
            return (await self._once("POST", path, body, VersionShape, query=home)).version()
        request = self._server.request("POST", path, body=body, query=home)
        return (await self._server.fetch(request, VersionShape)).version()

    async def diff(
        self, name: str, first: int, second: int, *, inputs: Inputs | None = None, **home: Unpack[Home]
    ) -> Diff:
        """Compare two versions."""
        body = DiffRequest(first=first, second=second, inputs=None if inputs is None else {**inputs})
        request = self._server.request("POST", _path(name, "diff"), body=body, query=home)
        return (await self._server.fetch(request, DiffShape)).diff()

    async def find(self, name: str, **home: Unpack[Home]) -> Prompt:
        """Return a prompt."""
        query = {**home, "archived": "true"}
        return (await self._server.get(_path(name), PromptDetailShape, query=query)).prompt()

    async def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        page: int | None = None,
        wanted: PromptFilter = EVERY_PROMPT,
    ) -> Page[Prompt]:
        """Return the prompts that are wanted."""
        place = {"limit": limit, "after": after} if page is None else {"page": page, "page_size": limit}
        return (await self._server.get("/prompts", PromptPage, query=place | _query(wanted))).prompts()

    def subscribe(
        self,
        *,
        limit: int = 100,
        wanted: PromptFilter = EVERY_PROMPT,
        after: str | None = None,
        on_change: OnChange[Prompt] | None = None,
    ) -> Subscription[Prompt]:
        """Follow the prompts that are wanted; see `LiveFace.subscribe`. Nothing is sent before somebody listens."""
        query = {"limit": limit, **_query(wanted), "sort": None}
        path = path_of("prompts", "subscribe")
        return self._subscriptions.follow(path, query, read=read_prompts, after=after, on_change=on_change)

    async def stats(self) -> PromptStats:
        """Return how many prompts there are, by what is said of them."""
        return (await self._server.get(path_of("prompts", "stats"), PromptStatsShape)).stats()

    async def edit(self, name: str, **changes: Unpack[EditOptions]) -> Prompt:
        """Change what is said of a prompt, or whether it is active."""
        status, revision = changes.pop("status", None), changes.pop("revision", None)
        home = _home(changes)
        details = {field: value for field, value in changes.items() if field not in home}
        body = UpdateRequest.edit(details, is_active=UNSET if status is None else status == "active")
        headers = _if_match(revision)
        return (await self._once("PUT", _path(name), body, PublishedShape, query=home, headers=headers)).prompt.prompt()

    async def archive(self, name: str, *, revision: int | None = None, **home: Unpack[Home]) -> Prompt:
        """Archive a prompt."""
        headers = _if_match(revision)
        return (await self._once("DELETE", _path(name), None, PromptShape, query=home, headers=headers)).prompt()

    async def restore(self, name: str, **home: Unpack[Home]) -> Prompt:
        """Bring an archived prompt back."""
        return (await self._once("POST", _path(name, "restore"), {}, PromptShape, query=home)).prompt()

    async def clone(self, name: str, to: str, *, source: Home | None = None, **home: Unpack[Home]) -> PromptVersion:
        """Publish what a prompt says as a new prompt."""
        body = CloneRequest(name=check_name(to), **home)
        return (await self._once("POST", _path(name, "clone"), body, PublishedShape, query=source)).version.version()

    async def history(self, name: str, *, limit: int = 100, after: int = 0, **home: Unpack[Home]) -> Sequence[Event]:
        """Return what happened to a prompt, oldest first."""
        query = {"limit": limit, "after": after, **home}
        return (await self._server.get(_path(name, "history"), EventList, query=query)).events()

    async def _once(self, method: str, path: str, body: object, kind: type[S], **more: Any) -> S:
        return await self._server.fetch_once(self._server.request(method, path, body=body, **more), kind)


def version_path(reference: str) -> str:
    """Return the path of a version. Raises InvalidInput."""
    wanted = parse_reference(reference)
    which = wanted.label if wanted.number is None else str(wanted.number)
    return _path(wanted.name, "versions", which)


def _path(name: str, *parts: str) -> str:
    """Return a path of a prompt. Raises InvalidInput."""
    own = path_of(check_name(name))
    if name in TAKEN_NAMES:
        own = f"/%{ord(name[0]):X}{name[1:]}"
    return path_of("prompts") + own + path_of(*parts)


def _home(options: Home | PublishOptions | EditOptions) -> Home:
    return {"strategy": options.get("strategy"), "language": options.get("language")}


def _if_match(revision: int | None) -> dict[str, str]:
    return {} if revision is None else {"If-Match": f'"{revision}"'}


def _query(wanted: PromptFilter) -> dict[str, object]:
    scope = {None: None, True: "global", False: "strategy"}[wanted.is_global]
    no_name = ("",)  # a query has no empty list, and no prompt is named so
    return {
        "status": wanted.status,
        "type": wanted.template_type,
        "language": wanted.language,
        "category": wanted.category,
        "tag": wanted.tag,
        "strategy": wanted.strategy,
        "scope": scope,
        "with_global": "true" if wanted.with_global else None,
        "q": wanted.text or None,
        "sort": f"-{wanted.sort}" if wanted.descending else wanted.sort,
        "name": wanted.names if wanted.names is None else wanted.names or no_name,
    }
