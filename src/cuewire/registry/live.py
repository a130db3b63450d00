"""Lists of prompts that stay true. The truth is the table of events, which is watched while anybody follows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from hashlib import sha256

import msgspec

from cuewire.model.live import LiveChange, update_since
from cuewire.model.prompts import Prompt, PromptFilter
from cuewire.ports import EventStore, PromptStore
from cuewire.registry.news import LOOK_S, News
from cuewire.registry.subscriptions import Feed, Feeds, Reader

MAX_MISSED = 1_000
"""Events after which whoever missed them gets the whole list again."""
_PAUSE_S = 0.05
"""The least time between two updates of a list, so that a flood of changes is told in few."""


class Live:
    """All lists of prompts that are followed in this process; the moments of a list are the ids of events."""

    def __init__(self, prompts: PromptStore, events: EventStore, *, news: News) -> None:
        self._prompts = prompts
        self._events = events
        self._news = news
        self._feeds: Feeds[Prompt] = Feeds(self._watch)
        self._told = asyncio.Event()
        news.listen(self._told.set)

    def follow(self, wanted: PromptFilter, *, limit: int, after: str | None = None) -> Reader[Prompt]:
        """Return what reads the prompts that are wanted, newest change first, from an earlier id on if one is given.

        An id that is too old, or of another list, does as if there were none.
        """
        ordered = msgspec.structs.replace(wanted, sort="updated_at", descending=True)
        key = ordered, limit
        mark = sha256(msgspec.json.encode(key)).hexdigest()[:12]

        async def look() -> tuple[Prompt, ...]:
            return await self._prompts.first(ordered, limit=limit)

        feed = Feed(key, look, name=lambda at, _: f"{at}-{mark}")
        return Reader(self._feeds, feed, begin=partial(self._begin, mark=mark, after=after, among=wanted.names))

    async def close(self) -> None:
        """End everything that is followed."""
        await self._feeds.close()

    async def _watch(self) -> None:
        await self._news_or(LOOK_S)
        if self._told.is_set():
            await self._catch_up()
        await asyncio.sleep(_PAUSE_S)

    async def _news_or(self, seconds: float) -> None:
        """Return when this process has changed something, or after the time, when others have been asked."""
        try:
            async with asyncio.timeout(seconds):
                await self._told.wait()
        except TimeoutError:
            await self._news.look()

    async def _catch_up(self) -> None:
        self._told.clear()
        try:
            at = await self._events.last()
            for feed in self._feeds:
                await feed.bring_up(at)
        except BaseException:
            self._told.set()  # to be tried again
            raise

    async def _begin(
        self, feed: Feed[Prompt], *, mark: str, after: str | None, among: Sequence[str] | None
    ) -> tuple[LiveChange[Prompt], tuple[Prompt, ...]]:
        at = await self._events.last()
        await feed.bring_up(at)
        if feed.error:
            raise feed.error
        begun, prompts = feed.id, feed.items
        number, _, of = (after or "").partition("-")
        touched = await self._touched(number, until=at, among=among) if of == mark else None
        if touched is None:
            return feed.snapshot(), feed.items
        return update_since(touched, prompts, id=begun), prompts  # what changed since then comes as the next update

    async def _touched(self, after: str, *, until: int, among: Sequence[str] | None) -> set[int] | None:
        """Return the prompts that were touched after an event, None if they are not known, or too many."""
        if not after.isdecimal() or len(after) > 18 or int(after) > until:
            return None
        missed = await self._events.list(after=int(after), limit=MAX_MISSED + 1, among=among)
        if len(missed) > MAX_MISSED:
            return None
        return {event.prompt_id for event in missed if event.prompt_id is not None}
