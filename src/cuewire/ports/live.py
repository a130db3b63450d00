"""Lists that stay true, as a user holds them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from cuewire.model.live import Item, LiveChange, OnChange
from cuewire.model.prompts import EVERY_PROMPT, Prompt, PromptFilter


class LiveSource(Protocol[Item]):
    """Where the changes of a list come from."""

    async def next(self) -> LiveChange[Item] | None:
        """Return the list, then each change of it, None at the end. Raises what the list cannot be followed for."""
        ...

    def close(self) -> None:
        """Bring it to its end. May be called again."""
        ...


class Subscription(Protocol[Item]):
    """A list that is followed by one: either `on_change` is told, or one iterates.

    Who is slow gets all that changed in the meantime as one change.
    """

    def __aiter__(self) -> AsyncIterator[LiveChange[Item]]:
        """Yield the whole list, then each change of it; who iterates anew goes on where the last one stopped.

        Raises InvalidInput while `on_change` is told or somebody else waits for a change; NotFound, Forbidden,
        StoreError; and of a server AccessDenied, ServerUnavailable at the very first, ServerError.
        """
        ...

    def unsubscribe(self) -> None:
        """End it: nothing is told any more, and who iterates comes to the end. May be called again."""
        ...


class LiveFace(Protocol):
    """What `app.prompts` does with whoever follows them."""

    def subscribe(
        self,
        *,
        limit: int = 100,
        wanted: PromptFilter = EVERY_PROMPT,
        after: str | None = None,
        on_change: OnChange[Prompt] | None = None,
    ) -> Subscription[Prompt]:
        """Follow the first `limit` of the prompts that are wanted, the one that changed last first.

        With `on_change`, that is told the whole list at first and at each change, until `unsubscribe`, and nobody need
        iterate. With the id of an earlier change as `after`, only what has changed since comes first; if that is
        too long ago, or was of another list, the whole one. Raises InvalidInput, Forbidden.
        """
        ...
