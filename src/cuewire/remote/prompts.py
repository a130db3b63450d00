"""Prompts on a server; what was read last still answers while the server is away."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Sequence
from typing import Unpack

from cuewire.model.errors import ServerUnavailable, StoreError
from cuewire.model.pages import Page
from cuewire.model.prompts import (
    Content,
    Prompt,
    PromptVersion,
    Variable,
    VersionOptions,
    check_label,
    check_name,
    parse_reference,
)
from cuewire.remote.last_known import LastKnown
from cuewire.remote.server import Server, path_of
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

logger = logging.getLogger("cuewire.remote")


class RemotePrompts:
    """Implements `PromptsFace` on a server."""

    def __init__(self, server: Server, *, last_known: LastKnown) -> None:
        self._server = server
        self._last_known = last_known

    async def publish(
        self,
        name: str,
        content: Content,
        *,
        labels: Sequence[str] = (),
        publish: bool = False,
        **options: Unpack[VersionOptions],
    ) -> PromptVersion:
        """Store a new immutable version; see `PromptsFace.publish`."""
        path = path_of("prompts", check_name(name))
        body = PublishRequest.of(content, labels=labels, publish=publish, options=options)
        return (await self._server.send("PUT", path, body, VersionShape)).version()

    async def variables(self, content: Content) -> dict[str, Variable]:
        """Return the variables that a version of this content would have."""
        path = path_of("prompts", "variables")
        return (await self._server.send("POST", path, VariablesRequest.of(content), VariablesShape)).found()

    async def get(self, reference: str) -> PromptVersion:
        """Return a version by `name`, `name@label` or `name@7`.

        While the server is away this is the version that the reference meant when it was last asked for, here or by
        an earlier process, and the event `prompts.stale` is logged as a warning.
        """
        wanted = str(parse_reference(reference))
        try:
            shape = await self._server.get(path_of("prompts", wanted), VersionShape)
        except (ServerUnavailable, StoreError) as error:
            shown = await self._last_known.find(wanted)
            if shown is None:
                raise
            logger.warning("prompts.stale reference=%s version=%d reason=%s", wanted, shown.number, error.code)
            return shown.version()
        await self._last_known.keep(wanted, shape)
        return shape.version()

    async def list(self, *, limit: int = 100, after: str | None = None, archived: bool = False) -> Page[Prompt]:
        """Return prompts by name."""
        query = {"limit": limit, "after": after, "archived": "true" if archived else None}
        return (await self._server.get("/prompts", PromptPage, query=query)).page()

    async def versions(self, name: str) -> builtins.list[PromptVersion]:
        """Return all versions of a prompt, newest first."""
        return (await self._server.get(path_of("prompts", check_name(name), "versions"), VersionList)).versions()

    async def label(self, name: str, label: str, number: int) -> PromptVersion:
        """Move a label to a version."""
        path = path_of("prompts", check_name(name), "labels")
        body = LabelRequest(label=check_label(label), number=number)
        return (await self._server.send("POST", path, body, VersionShape)).version()

    async def archive(self, name: str) -> Prompt:
        """Archive a prompt."""
        path = path_of("prompts", check_name(name), "archive")
        return (await self._server.send("POST", path, {}, PromptShape)).prompt()
