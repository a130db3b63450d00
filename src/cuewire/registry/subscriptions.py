"""Lists that stay true: whole at first, then what changes of them, for any number who follow.

Who follow the same list share one feed, and so its queries. Nothing queues: who is slow gets all that changed in the
meantime as one update, and costs no more than one old list.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeAlias

from cuewire.model.errors import CuewireError, StoreError
from cuewire.model.live import (
    Item,
    LiveChange,
    OnChange,
    Snapshot,
    Update,
    check_beginning,
    second_reader,
    update_between,
)
from cuewire.ports import LiveSource

_AGAIN_S = 0.5
"""How long to wait before a database that was away is looked at again."""

logger = logging.getLogger("cuewire.live")


class Feeds(Generic[Item]):
    """The lists of one kind that are followed in this process. While there are any, `watch` is awaited again and again.

    It waits for what may be new, and brings the feeds up to it.
    """

    def __init__(self, watch: Callable[[], Awaitable[None]]) -> None:
        self._watch = watch
        self._feeds: dict[Hashable, Feed[Item]] = {}
        self._watching: asyncio.Task[None] | None = None

    def __iter__(self) -> Iterator[Feed[Item]]:
        """Return the feeds that are followed now."""
        return iter([*self._feeds.values()])

    async def close(self) -> None:
        """End everything that is followed."""
        for feed in self:
            for reader in list(feed.readers):
                reader.close()
        if self._watching:
            await asyncio.wait([self._watching])

    def join(self, reader: Reader[Item], feed: Feed[Item]) -> Feed[Item]:
        """Keep a feed up to date from here on, and return it, or the one that there is of the same list."""
        feed = self._feeds.setdefault(feed.key, feed)
        feed.readers.add(reader)
        if self._watching is None or self._watching.done() or self._watching.cancelling():
            self._watching = asyncio.get_running_loop().create_task(self._keep_watching())
        return feed

    def leave(self, reader: Reader[Item], feed: Feed[Item]) -> None:
        """Let go of a feed that nobody else reads."""
        feed.readers.discard(reader)
        if not feed.readers and self._feeds.get(feed.key) is feed:
            del self._feeds[feed.key]
        if not self._feeds and self._watching:
            self._watching.cancel()

    async def _keep_watching(self) -> None:
        while True:
            try:
                await self._watch()
            except StoreError as error:
                logger.warning("live.behind reason=%s", error.code)
                await asyncio.sleep(_AGAIN_S)
            except Exception:
                logger.exception("live.failed")
                await asyncio.sleep(_AGAIN_S)


class Feed(Generic[Item]):
    """One list, as it was at a moment, for all who follow it. Moments are numbered from 0 by whoever brings it up.

    `look` asks what the list is now; `name` makes its id, of the moment and the items.
    """

    def __init__(
        self,
        key: Hashable,
        look: Callable[[], Awaitable[tuple[Item, ...]]],
        *,
        name: Callable[[int, Sequence[Item]], str],
    ) -> None:
        self.key = key
        self.at = -1
        self.items: tuple[Item, ...] = ()
        self.error: CuewireError | None = None
        self.turned = asyncio.Event()
        self.readers: set[Reader[Item]] = set()
        self._look = look
        self._name = name
        self._lock = asyncio.Lock()
        self._snapshot: Snapshot[Item] | None = None
        self._step: tuple[tuple[Item, ...], Update[Item]] | None = None

    @property
    def id(self) -> str:
        """The id after which everything is new that this list does not show."""
        return self._name(self.at, self.items)

    async def bring_up(self, at: int) -> None:
        """Look at the list, unless that was done at the moment or after it. Raises StoreError."""
        async with self._lock:
            if at <= self.at:
                return
            try:
                found = await self._look()
            except StoreError:
                raise
            except CuewireError as error:
                self.error = error
            else:
                self.error = None
                self._show(found, at)
            self.at = at
        if self.error:
            self.turn()

    def snapshot(self) -> Snapshot[Item]:
        """Return the whole list."""
        if self._snapshot is None:
            self._snapshot = Snapshot(id=self.id, items=self.items)
        return self._snapshot

    def update(self, old: tuple[Item, ...]) -> Update[Item]:
        """Return the step from an earlier list."""
        if self._step and self._step[0] is old:
            return self._step[1]
        return update_between(old, self.items, id=self.id)

    def turn(self) -> None:
        """Wake who waits for something new."""
        turned, self.turned = self.turned, asyncio.Event()
        turned.set()

    def _show(self, found: tuple[Item, ...], at: int) -> None:
        known = {item.id: item for item in self.items}
        new = tuple(same if (same := known.get(item.id)) == item else item for item in found)
        old, is_first = self.items, self.at < 0
        self.at = at
        if not is_first and len(new) == len(old) and all(one is other for one, other in zip(new, old, strict=True)):
            return
        self.items, self._snapshot = new, None
        self._step = None if is_first else (old, update_between(old, new, id=self.id))
        self.turn()


Begin: TypeAlias = Callable[[Feed[Item]], Awaitable[tuple[LiveChange[Item], tuple[Item, ...]]]]
"""Brings a feed up for one who comes, and returns what to tell them first, and the list that they then have."""


class Reader(Generic[Item]):
    """One who follows a list, at their own pace. `next` may be cancelled: what it would have said comes next time."""

    def __init__(self, feeds: Feeds[Item], feed: Feed[Item], *, begin: Begin[Item]) -> None:
        self._feeds = feeds
        self._feed = feed
        self._begin = begin
        self._shown: tuple[Item, ...] | None = None
        self._is_waiting = False
        self._is_closed = False

    async def next(self) -> LiveChange[Item] | None:
        """Return the list at first, then each change of it, None once it is closed. Raises NotFound, StoreError."""
        while not self._is_closed:
            if self._shown is None:
                self._feed = self._feeds.join(self, self._feed)
                change, self._shown = await self._begin(self._feed)
                return change
            feed, shown = self._feed, self._shown
            if feed.error:
                raise feed.error
            if feed.items is not shown:
                self._shown = feed.items
                return feed.update(shown)
            self._is_waiting = True
            try:
                await feed.turned.wait()
            finally:
                self._is_waiting = False
        return None

    def close(self) -> None:
        """Follow no longer. May be called again."""
        if not self._is_closed:
            self._is_closed = True
            self._feeds.leave(self, self._feed)
            if self._is_waiting:
                self._feed.turn()


def subscription(
    source: LiveSource[Item], *, after: str | None = None, on_change: OnChange[Item] | None = None
) -> Subscription[Item]:
    """Return what is given to who subscribes. Raises InvalidInput."""
    check_beginning(after, on_change)
    return Subscription(source, on_change=on_change)


class Subscription(Generic[Item]):
    """Implements the port. With `on_change` it runs by itself, without one for whoever iterates over it."""

    def __init__(self, source: LiveSource[Item], *, on_change: OnChange[Item] | None = None) -> None:
        self._source = source
        self._is_over = False
        self._is_read = False
        self._reading: asyncio.Future[LiveChange[Item] | None] | None = None  # outlives a wait that is cancelled
        self._telling = None if on_change is None else asyncio.ensure_future(self._tell(on_change))

    def __aiter__(self) -> Subscription[Item]:
        """Iterate over the list and its changes."""
        return self

    async def __anext__(self) -> LiveChange[Item]:
        """Return the next change; the iteration ends when the subscription does."""
        if self._is_over:
            raise StopAsyncIteration
        if self._is_read or self._telling not in (None, asyncio.current_task()):
            raise second_reader()
        reading = self._reading = self._reading or asyncio.ensure_future(self._source.next())
        self._is_read = True
        try:
            await asyncio.wait([reading])
        finally:
            self._is_read = False
        self._reading = change = None
        try:
            change = None if reading.cancelled() else reading.result()
        finally:
            if change is None:
                self.unsubscribe()
        if change is None:
            raise StopAsyncIteration
        return change

    def unsubscribe(self) -> None:
        """End it: nothing is told any more. May be called again."""
        self._is_over = True
        if self._reading:
            self._reading.cancel()
        self._source.close()

    async def _tell(self, on_change: OnChange[Item]) -> None:
        with telling(on_change) as tell:
            async for change in self:
                tell(change)


@contextmanager
def telling(on_change: OnChange[Item]) -> Iterator[Callable[[LiveChange[Item]], None]]:
    """Give what tells whole lists, change by change. What fails is logged, since there is nobody to raise it to."""
    items: tuple[Item, ...] = ()

    def tell(change: LiveChange[Item]) -> None:
        nonlocal items
        items = change.applied(items)
        try:
            on_change(items)
        except Exception:
            logger.exception("live.callback_failed")

    try:
        yield tell
    except CuewireError as error:
        logger.warning("live.ended reason=%s: %s", error.code, error)
