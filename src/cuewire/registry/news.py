"""Word that the registry has changed, here or in another process, for everything in this process that wants to know."""

from __future__ import annotations

from collections.abc import Callable

from cuewire.ports import Changes, Clock

LOOK_S = 0.5
"""How often to ask for word of other processes."""


class News:
    """One ear for all: a `Changes` says each word only once."""

    def __init__(self, changes: Changes, *, clock: Clock) -> None:
        self._changes = changes
        self._clock = clock
        self._listeners: list[Callable[[], None]] = []
        self.looked_at = clock.monotonic()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call the listener at each change, from here on."""
        self._listeners.append(listener)

    def tell(self) -> None:
        """Tell all listeners that something has changed."""
        for listener in self._listeners:
            listener()

    async def look(self) -> None:
        """Tell all listeners if another process has changed something. Raises StoreError."""
        self.looked_at = self._clock.monotonic()
        if await self._changes.changed():
            self.tell()
