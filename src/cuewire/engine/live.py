"""Lists of executions that stay true: while anybody follows one, it is looked at twice a second, whoever runs them.

A run knows nothing of that, and so costs no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from functools import partial
from hashlib import sha256

import msgspec

from cuewire.model.executions import Execution
from cuewire.model.live import LiveChange, Update
from cuewire.registry.subscriptions import Feed, Feeds, Reader

MAX_WINDOW = 100
"""Executions that one can follow at once."""
LOOK_S = 0.5


class LiveExecutions:
    """All lists of executions that are followed in this process; the moments of a list are the looks at it."""

    def __init__(self, *, look_s: float = LOOK_S) -> None:
        self._look_s = look_s
        self._looks = 0
        self._feeds: Feeds[Execution] = Feeds(self._watch)

    def follow(
        self, look: Callable[[], Awaitable[tuple[Execution, ...]]], *, key: Hashable, after: str | None = None
    ) -> Reader[Execution]:
        """Return what reads the executions that a look finds; looks with the same key find the same.

        Only the id of the list as it is now spares the whole list.
        """
        feed = Feed(key, look, name=_digest)
        return Reader(self._feeds, feed, begin=partial(self._begin, after=after))

    async def close(self) -> None:
        """End everything that is followed."""
        await self._feeds.close()

    async def _watch(self) -> None:
        await asyncio.sleep(self._look_s)
        self._looks += 1
        for feed in self._feeds:
            await feed.bring_up(self._looks)

    async def _begin(
        self, feed: Feed[Execution], *, after: str | None
    ) -> tuple[LiveChange[Execution], tuple[Execution, ...]]:
        await feed.bring_up(self._looks)
        if feed.error:
            raise feed.error
        snapshot = feed.snapshot()
        if after != snapshot.id:
            return snapshot, snapshot.items
        return Update(id=snapshot.id, changed=(), left=(), size=len(snapshot.items)), snapshot.items


def _digest(_: int, executions: Sequence[Execution]) -> str:
    return sha256(msgspec.json.encode(executions)).hexdigest()[:16]
