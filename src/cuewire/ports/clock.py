"""Time and chance."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time and chance, so that tests can hold both still."""

    def now(self) -> datetime:
        """Return the wall clock as aware UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary point that never runs backwards."""
        ...

    def random_bits(self) -> int:
        """Return 74 random bits."""
        ...
