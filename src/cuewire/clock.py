"""The system's time and chance: the one place that reads either."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from struct import iter_unpack
from time import monotonic

_BYTES, _AT_ONCE = 10, 512


class _Chance:
    """Random bits, asked from the operating system for many ids at a time: a system call for each costs 5 us.

    Handing out is one step of an iterator, which no thread can interrupt. A forked child asks anew.
    """

    def __init__(self) -> None:
        self._parts = self._more()
        os.register_at_fork(after_in_child=self.refill)

    def refill(self) -> None:
        self._parts = self._more()

    def next_bits(self) -> int:
        while (part := next(self._parts, None)) is None:
            self.refill()
        return int.from_bytes(part[0], "big")

    def _more(self) -> Iterator[tuple[bytes]]:
        return iter_unpack(f"{_BYTES}s", os.urandom(_BYTES * _AT_ONCE))


_chance = _Chance()


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
        return _chance.next_bits()
