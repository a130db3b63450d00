"""The blocking form of a subscription."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic
from weakref import WeakSet

from cuewire.blocking.loop import Loop
from cuewire.model.live import Item, LiveChange, OnChange, check_beginning, second_reader
from cuewire.registry.subscriptions import telling

if TYPE_CHECKING:
    from cuewire.ports import Subscription


class BlockingSubscriptions:
    """What is followed in one App."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._made: WeakSet[BlockingSubscription[Any]] = WeakSet()

    def follow(
        self, subscribe: Callable[[], Subscription[Item]], *, after: str | None, on_change: OnChange[Item] | None
    ) -> BlockingSubscription[Item]:
        """Subscribe on the loop, and return the blocking form of that. Raises InvalidInput, Forbidden."""
        check_beginning(after, on_change)

        async def begun() -> Subscription[Item]:
            return subscribe()

        made = BlockingSubscription(self._loop.run(begun()), self._loop, on_change=on_change)
        self._made.add(made)
        return made

    def close(self) -> None:
        """End everything that is followed, and what callbacks begin to follow meanwhile."""
        while self._made:
            self._made.pop().unsubscribe()


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
        if not self._is_over and self._telling not in (None, threading.current_thread()):
            raise second_reader()
        changes = aiter(self._subscription)
        while not self._is_over and (change := self._loop.run(_next(changes))) is not None:
            yield change

    def unsubscribe(self) -> None:
        """End it, and return when nothing is told any more. May be called again, and by `on_change` itself."""
        if not self._is_over:
            self._is_over = True
            self._loop.run(_unsubscribed(self._subscription))
        if self._telling and self._telling is not threading.current_thread():
            self._telling.join()

    def _tell(self, on_change: OnChange[Item]) -> None:
        with telling(on_change) as tell:
            for change in self:
                tell(change)


async def _next(changes: AsyncIterator[LiveChange[Item]]) -> LiveChange[Item] | None:
    return await anext(changes, None)


async def _unsubscribed(subscription: Subscription[Item]) -> None:
    subscription.unsubscribe()
