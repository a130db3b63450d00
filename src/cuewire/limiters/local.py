"""Rates counted in this process."""

from __future__ import annotations

from collections.abc import Sequence

from cuewire.model.limits import Booked, Booking, book
from cuewire.ports import Clock


class LocalLimiter:
    """Implements `Limiter`; a booking takes effect before anything else runs."""

    block_s = 0.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._used: dict[str, float] = {}

    async def book(self, bookings: Sequence[Booking], *, within_s: float) -> Booked:
        """Book amounts of several rates; see `Limiter.book`."""
        used = self._used
        names = [booking.rate.name for booking in bookings]
        so_far = [used.get(name, 0.0) for name in names]
        booked = book(so_far, bookings, now=self._clock.monotonic(), within_s=within_s)
        used.update(zip(names, booked.marks, strict=True))
        return booked

    async def close(self) -> None:
        """Do nothing."""
