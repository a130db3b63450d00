"""Versions for a reader of limited patience: it says how often and how long to try; what was known last is at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from cuewire.model.errors import CuewireError, NotFound, ServerUnavailable, StoreError
from cuewire.model.prompts import PromptVersion
from cuewire.model.references import parse_reference
from cuewire.remote.last_known import LastKnown
from cuewire.remote.prompts import version_path
from cuewire.remote.server import Server
from cuewire.wire.versions import VersionShape

Read: TypeAlias = Callable[[str], Awaitable[VersionShape]]
"""Asks once what a reference means."""

PAUSES_S = (0.05, 0.2, 0.5, 1.0)
"""How long to wait before each further try; there are no more than these."""


class PromptReader:
    """Reads versions, and keeps the last of each in memory and on disk."""

    def __init__(self, read: Read, *, last_known: LastKnown) -> None:
        self._read = read
        self._last_known = last_known

    async def read(
        self, reference: str, *, timeout_s: float, retries: int, on_failure: Callable[[CuewireError], None]
    ) -> PromptVersion:
        """Return the version that the reference means now.

        While nobody answers, each try within `timeout_s`, it is tried again up to `retries` times, four at most;
        `on_failure` is told of each that is tried again. Raises NotFound, after which no last version is known, and
        ServerError, StoreError.
        """
        for pause_s in PAUSES_S[:retries]:
            try:
                return await self._once(reference, timeout_s)
            except (ServerUnavailable, StoreError) as error:
                on_failure(error)
            await asyncio.sleep(pause_s)
        return await self._once(reference, timeout_s)

    async def last_known(self, reference: str) -> PromptVersion | None:
        """Return the version that the reference meant when it was last read, here or by an earlier process."""
        shape = await self._last_known.find(str(parse_reference(reference)))
        return shape.version() if shape else None

    async def _once(self, reference: str, timeout_s: float) -> PromptVersion:
        wanted = str(parse_reference(reference))
        try:
            async with asyncio.timeout(timeout_s):
                shape = await self._read(wanted)
        except TimeoutError:
            problem = f"no answer came within {timeout_s:g} seconds"
            raise ServerUnavailable(problem, hint="see that the server runs, or wait longer") from None
        except NotFound:
            await self._last_known.forget(wanted)
            raise
        await self._last_known.keep(wanted, shape)
        return shape.version()


def server_reader(server: Server, *, last_known: LastKnown) -> PromptReader:
    """Return what reads from a server, one request for each try."""
    return PromptReader(partial(_ask, server), last_known=last_known)


async def _ask(server: Server, reference: str) -> VersionShape:
    return await server.fetch_once(server.request("GET", version_path(reference)), VersionShape)
