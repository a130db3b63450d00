"""The system's time and chance: the one place that reads either."""

from __future__ import annotations

from datetime import UTC, datetime
from os import urandom
from time import monotonic


class SystemClock:
    """The Clock of a running program."""

    def now(self) -> datetime:
        """Return the wall clock as aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds from an arbitrary point that never runs backwards."""
        return monotonic()

    def random_bits(self) -> int:
        """Return 80 random bits from the operating system."""
        return int.from_bytes(urandom(10), "big")
