"""Pages of a list: items, and the cursor that continues it."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from cuewire.model.errors import InvalidInput

Item = TypeVar("Item")
MAX_PAGE = 1_000


class Page(msgspec.Struct, Generic[Item], frozen=True, omit_defaults=True):
    """A run of items in the list's order; `next` is the cursor of the following page, None at the end.

    `total` is the number of items on all pages, where that was counted.
    """

    items: tuple[Item, ...]
    next: str | None
    total: int | None = None


def check_limit(limit: object, *, most: int = MAX_PAGE) -> int:
    """Return the size of a page if it is one, else raise InvalidInput."""
    if isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= most:
        return limit
    raise InvalidInput(f"limit must be 1 to {most:,}, not {str(limit)[:40]}", field="/limit")
