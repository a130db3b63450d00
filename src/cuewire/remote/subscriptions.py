"""A list on a server, of prompts or of executions, that stays true here, over as many connections as it takes."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Generic, Protocol
from weakref import WeakSet

from cuewire.model.errors import CuewireError, NetworkError, ServerUnavailable, StoreUnavailable
from cuewire.model.live import Item, LiveChange, OnChange, Snapshot
from cuewire.outbound.transport import MAX_STREAM, Response, Timeouts
from cuewire.ports import LiveSource, Subscription
from cuewire.remote.server import Server, server_errors
from cuewire.wire.live import LiveEvents, Said
from cuewire.wire.streams import CONTENT_TYPE, HEARTBEAT_S

PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)
"""How long to wait before each further try; the last one is repeated, for as long as it takes."""
_TIMEOUTS = Timeouts(idle_s=3 * HEARTBEAT_S, total_s=86_400.0)
_PASSING = (ServerUnavailable, StoreUnavailable)

logger = logging.getLogger("cuewire.remote")


class SubscriptionMaker(Protocol):
    """Makes a subscription of a source. Raises InvalidInput."""

    def __call__(
        self, source: LiveSource[Item], *, after: str | None, on_change: OnChange[Item] | None
    ) -> Subscription[Item]:
        """Return it."""
        ...


class Subscriptions:
    """What is followed on one server."""

    def __init__(self, server: Server, *, make_subscription: SubscriptionMaker) -> None:
        self._server = server
        self._make_subscription = make_subscription
        self._made: WeakSet[Subscription[Any]] = WeakSet()

    def follow(
        self,
        path: str,
        query: Mapping[str, object],
        *,
        read: Callable[[bytes], Said[Item]],
        after: str | None,
        on_change: OnChange[Item] | None,
    ) -> Subscription[Item]:
        """Follow the list at a path. Nothing is sent before somebody listens. Raises InvalidInput."""
        reader = RemoteReader(self._server, path, query, read=read, after=after)
        made = self._make_subscription(reader, after=after, on_change=on_change)
        self._made.add(made)
        return made

    def close(self) -> None:
        """End everything that is followed."""
        for subscription in list(self._made):
            subscription.unsubscribe()


class RemoteReader(Generic[Item]):
    """Follows a list. A lost connection is taken up again after the last change that came, however long that takes.

    Only at the very first a server that is away is an error. That nothing was missed is told only to who came with an
    id of their own.
    """

    def __init__(
        self,
        server: Server,
        path: str,
        query: Mapping[str, object],
        *,
        read: Callable[[bytes], Said[Item]],
        after: str | None,
    ) -> None:
        self._server = server
        self._path = path
        self._read = read
        self._query = query
        self._id = after
        self._failures: int | None = None
        self._connection: _Connection[Item] | None = None
        self._is_closed = False

    async def next(self) -> LiveChange[Item] | None:
        """Return the list at first, then each change of it, None once it is closed.

        Raises ServerUnavailable, ServerError, AccessDenied, and what the server raised.
        """
        while not self._is_closed:
            is_first = self._failures is None
            try:
                change = await self._change()
            except _PASSING as error:
                await self._pause(error)
            else:
                self._id, self._failures = change.id, 0
                if is_first or isinstance(change, Snapshot) or change.changed or change.left:
                    return change
        return None

    def close(self) -> None:
        """Follow no longer. May be called again."""
        self._is_closed = True
        self._hang_up()

    async def _change(self) -> LiveChange[Item]:
        if self._connection is None:
            headers = {"Accept": CONTENT_TYPE} | ({} if self._id is None else {"Last-Event-ID": self._id})
            request = self._server.request("GET", self._path, query=self._query, headers=headers, timeouts=_TIMEOUTS)
            self._connection = _Connection(await self._server.open(request), LiveEvents(self._read))
        try:
            return await self._connection.change()
        except BaseException:
            self._hang_up()
            raise

    async def _pause(self, error: CuewireError) -> None:
        if self._failures is None:
            raise error
        logger.info("live.lost reason=%s", error.code)
        pause_s = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
        self._failures += 1
        await asyncio.sleep(pause_s)

    def _hang_up(self) -> None:
        if self._connection:
            self._connection.response.close()
            self._connection = None


class _Connection(Generic[Item]):
    """What comes over one connection, which is left before it has brought more than one may."""

    def __init__(self, response: Response, events: LiveEvents[Item]) -> None:
        self.response = response
        self._blocks: AsyncIterator[bytes] = aiter(response)
        self._events = events
        self._ahead: deque[Said[Item]] = deque()
        self._length = 0

    async def change(self) -> LiveChange[Item]:
        """Return the next change. Raises ServerUnavailable at the end, and what the server raised."""
        while not self._ahead:
            with server_errors():
                block = await anext(self._blocks, None)
                if block is None or self._length > MAX_STREAM // 2:
                    raise NetworkError("the server has ended the list")
                self._length += len(block)
                self._ahead += self._events.feed(block)
        found = self._ahead.popleft()
        if isinstance(found, CuewireError):
            raise found
        return found
