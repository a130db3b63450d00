"""What limits need from outside: where rates are counted, and what was spent. And what a user sees of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cuewire.model.limits import Booked, Booking, LimitState


class Limiter(Protocol):
    """Rates, counted in this process or for several together. Safe for any number of concurrent bookings.

    In any time t no more of a rate is booked than t's worth and its `room`, less what is given back; `book` of
    `model.limits` says it exactly. Whoever books uses it at the moment that was booked, or within `KEPT_S` after it.
    """

    @property
    def block_s(self) -> float:
        """For how long a process books ahead, so that not every call asks; 0 books exactly what is wanted."""
        ...

    async def book(self, bookings: Sequence[Booking], *, within_s: float) -> Booked:
        """Book amounts of several rates, all or none, for the first moment with room for all; earlier ones go first.

        What is owed counts in any case. Raises StoreError if the place where rates are counted is away.
        """
        ...

    async def close(self) -> None:
        """Let go of what was opened."""
        ...


class SpendStore(Protocol):
    """What executions cost, as the record says."""

    async def spent_usd(self, *, since: datetime, prompt: str | None = None, actor: str | None = None) -> float:
        """Return what executions cost that began since then, all or those of a prompt or an actor.

        Unknown costs count nothing.
        """
        ...


class LimitsFace(Protocol):
    """`app.limits`: those of the process that runs executions."""

    async def list(self) -> Sequence[LimitState]:
        """Return how all of them are, by name. Raises Forbidden."""
        ...
