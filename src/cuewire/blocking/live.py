"""The blocking form of a subscription."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Generic

from cuewire.blocking.loop import Loop
from cuewire.model.errors import CuewireError
from cuewire.model.live import Item, LiveChange, OnChange, check_beginning

if TYPE_CHECKING:
    from cuewire.ports import Subscription

logger = logging.getLogger("cuewire.live")


def subscribed(
    subscribe: Callable[[], Subscription[Item]], loop: Loop, *, after: str | None, on_change: OnChange[Item] | None
) -> BlockingSubscription[Item]:
    """Subscribe on the loop, and return the blocking form of that. Raises InvalidInput, Forbidden."""
    check_beginning(after, on_change)

    async def begun() -> Subscription[Item]:
        return subscribe()

    return BlockingSubscription(loop.run(begun()), loop, on_change=on_change)


class BlockingSubscription(Generic[Item]):
    """A list that is followed. `on_change` is called on a thread of its own, which may use the App like any other."""

    def __init__(self, subscription: Subscription[Item], loop: Loop, *, on_change: OnChange[Item] | None) -> None:
        self._subscription = subscription
        self._loop = loop
        self._is_over = False
        self._telling: threading.Thread | None = None
        if on_change is not None:
            self._telling = threading.Thread(target=self._tell, args=(on_change,), name="cuewire-live", daemon=True)
            self._telling.start()

    def __iter__(self) -> Iterator[LiveChange[Item]]:
        """Yield the whole list, then each change of it; ends when somebody unsubscribes or the App is closed."""
        changes = aiter(self._subscription)
        while not self._is_over and (change := self._loop.run(_next(changes))) is not None:
            yield change

    def unsubscribe(self) -> None:
        """End it, and return when nothing is told any more. May be called again, and by `on_change` itself."""
        self._is_over = True
        self._loop.run(_unsubscribed(self._subscription))
        if self._telling and self._telling is not threading.current_thread():
            self._telling.join()

    def _tell(self, on_change: OnChange[Item]) -> None:
        items: tuple[Item, ...] = ()
        try:
            for change in self:
                items = change.applied(items)
                try:
                    on_change(items)
                except Exception:
                    logger.exception("live.callback_failed")
        except CuewireError as error:
            logger.warning("live.ended reason=%s: %s", error.code, error)


async def _next(changes: AsyncIterator[LiveChange[Item]]) -> LiveChange[Item] | None:
    return await anext(changes, None)


async def _unsubscribed(subscription: Subscription[Item]) -> None:
    subscription.unsubscribe()
