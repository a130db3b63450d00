"""What this process may use of the rates: booked ahead where several share them, corrected by what calls really used.

If the place where rates are counted is away, this process goes on with its share, and asks again after a while.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from cuewire.engine.telling import tell
from cuewire.model.errors import LimitReached, StoreError
from cuewire.model.limits import KEPT_S, Booked, Booking, Counted, Rate
from cuewire.ports import Clock, Limiter

AGAIN_S, AGAIN_AT_MOST_S = 1.0, 30.0
"""After how long a limiter that was away is asked again: twice as long each time."""
_NEWER = 0.1
"""How much the newest call counts in what is typical."""


class Stock:
    """What is booked of one rate and not used yet. Whoever looks at it has the turn of its provider or model.

    `owed` is what calls used beyond what was booked for them, or negative, what they did not; the next booking tells.
    """

    __slots__ = ("_back", "_lapses_at", "_mark", "_newest", "_usable_from", "have", "owed", "rate", "typical", "unit")

    def __init__(self, rate: Rate, *, unit: str) -> None:
        """`unit` is what the setting counts, as in requests_per_minute."""
        self.rate = rate
        self.unit = unit
        self.have = 0.0
        self.owed = 0.0
        self.typical: float | None = None
        self._usable_from = 0.0
        self._lapses_at = inf
        self._newest = self._back = self._mark = 0.0

    def wait_s(self, now: float) -> float:
        """Return how long it takes until what is booked may be used."""
        return max(0.0, self._usable_from - now)

    def is_stale(self, now: float) -> bool:
        """Tell whether what is booked was booked too long ago to be used."""
        return now > self._lapses_at

    def booking(self, amount: float) -> Booking:
        """Return the booking of an amount, with all that is to be said of earlier ones."""
        booking = Booking(self.rate, amount, self.owed, self._back, self._mark)
        # A debt stays noted until it has arrived: if nobody can say whether it did, it counts twice.
        self.owed, self._back = max(self.owed, 0.0), 0.0
        return booking

    def arrived(self, booking: Booking, mark: float) -> None:
        """Note that what was said of earlier bookings is known."""
        self.owed -= max(booking.owed, 0.0)
        self._mark = mark

    def add(self, amount: float, *, now: float, wait_s: float) -> None:
        """Take in what was booked."""
        self.have += amount
        self._newest = amount
        if wait_s:
            self._usable_from = max(self._usable_from, now + wait_s)
        self._lapses_at = max(self._usable_from, now) + KEPT_S

    def give_back(self) -> None:
        """Let others have what was booked last."""
        self._back = min(self.have, self._newest)
        self.forget()

    def forget(self) -> None:
        """Let go of what was booked, whose time is past: others have gone without it, and it comes back to nobody."""
        self.have, self._usable_from, self._lapses_at = 0.0, 0.0, inf

    def has_news(self, block_s: float) -> bool:
        """Tell whether there is so much to be said that others should know at once."""
        return self._back > 0 or abs(self.owed) * self.rate.interval_s >= block_s

    def used(self, amount: float, *, booked: float) -> None:
        """Note what a call really used for which so much was booked."""
        self.owed += amount - booked
        if amount:
            self.typical = amount if self.typical is None else self.typical + (amount - self.typical) * _NEWER


class Charge(NamedTuple):
    """What a call takes of a stock."""

    stock: Stock
    amount: float


class Allowance:
    """Books for all calls of this process. `fallback` counts here while the limiter is away."""

    def __init__(self, limiter: Limiter, *, fallback: Limiter, clock: Clock) -> None:
        self._limiter = limiter
        self._fallback = fallback
        self._clock = clock
        self._processes = 1
        self._asks_again_at: float | None = None
        self._pause_s = AGAIN_S

    @property
    def counted(self) -> Counted:
        """Where rates are counted at present."""
        if not self._limiter.block_s:
            return "here"
        return "shared" if self._asks_again_at is None else "share"

    async def has_at_once(self, charges: Sequence[Charge]) -> bool:
        """Tell whether the stocks hold what is charged, booked now if rates are counted here. Never lets others run."""
        now = self._clock.monotonic()
        if lacking := self._lacking(charges, now):
            if self._limiter.block_s:
                return False
            try:
                await self._book(lacking, within_s=0.0)
            except LimitReached:
                return False
        return not _wait_s(charges, now)

    async def gather(self, charges: Sequence[Charge], *, until: float) -> None:
        """Return when the stocks hold what is charged, as `take` can then take it.

        Raises LimitReached at once if that will not be by `until`, on the clock's monotonic time.
        """
        while True:
            now = self._clock.monotonic()
            if lacking := self._lacking(charges, now):
                await self._book(lacking, within_s=until - now)
                continue
            if not (wait_s := _wait_s(charges, now)):
                return
            try:
                await asyncio.sleep(wait_s)
            except BaseException:
                for stock, _ in charges:
                    stock.give_back()
                await self.settle([stock for stock, _ in charges])
                raise

    def take(self, charges: Sequence[Charge]) -> None:
        """Take what was gathered just now."""
        for stock, amount in charges:
            stock.have -= amount

    async def settle(self, stocks: Sequence[Stock]) -> None:
        """Tell others of what is owed, if that is much; a store that is away is told later."""
        block_s = self._limiter.block_s
        if not block_s:
            return
        much = [stock for stock in stocks if stock.has_news(block_s)]
        if much and self._asks_again_at is None:
            await self._ask(much, [stock.booking(0.0) for stock in much], within_s=0.0)

    async def close(self) -> None:
        """Let go of the limiter."""
        await self._limiter.close()

    def _lacking(self, charges: Sequence[Charge], now: float) -> list[Charge]:
        """Return the charges for which too little is booked, apart from what was booked too long ago."""
        for stock, _ in charges:
            if stock.is_stale(now):
                if self._limiter.block_s:
                    stock.forget()
                else:  # nobody else has booked meanwhile who would have had it
                    stock.give_back()
        return [charge for charge in charges if charge.stock.have < charge.amount]

    async def _book(self, lacking: Sequence[Charge], *, within_s: float) -> None:
        ahead_s = self._limiter.block_s
        stocks = [stock for stock, _ in lacking]
        bookings = []
        for stock, amount in lacking:
            block = min(ahead_s / stock.rate.interval_s, stock.rate.room)
            bookings.append(stock.booking(max(amount - stock.have, block)))
        booked = await self._ask(stocks, bookings, within_s=within_s)
        if booked.wait_s > within_s:
            raise too_long(stocks[booked.last], booked.wait_s)
        now = self._clock.monotonic()
        for stock, booking in zip(stocks, bookings, strict=True):
            stock.add(booking.amount, now=now, wait_s=booked.wait_s)

    async def _ask(self, stocks: Sequence[Stock], bookings: Sequence[Booking], *, within_s: float) -> Booked:
        booked = await self._asked(bookings, within_s=within_s)
        for stock, booking, mark in zip(stocks, bookings, booked.marks, strict=True):
            stock.arrived(booking, mark)
        return booked

    async def _asked(self, bookings: Sequence[Booking], *, within_s: float) -> Booked:
        again_at = self._asks_again_at
        if again_at is None or self._clock.monotonic() >= again_at:
            try:
                booked = await self._limiter.book(bookings, within_s=within_s)
            except StoreError as error:
                if again_at is None:
                    tell(logging.WARNING, "limit.away", reason=error.code, processes=self._processes)
                self._pause_s = AGAIN_S if again_at is None else min(self._pause_s * 2, AGAIN_AT_MOST_S)
                self._asks_again_at = self._clock.monotonic() + self._pause_s
            else:
                if again_at is not None:
                    tell(logging.WARNING, "limit.back")
                self._asks_again_at, self._processes = None, booked.processes
                return booked
        shares = [each._replace(rate=each.rate.share(self._processes)) for each in bookings]
        return await self._fallback.book(shares, within_s=within_s)


def too_long(stock: Stock, wait_s: float) -> LimitReached:
    """Return what a call ends with for which a rate has no room in time."""
    name, _, _ = stock.rate.name.partition(" ")
    place = f'models."{name}"' if "/" in name else f"providers.{name}"
    return LimitReached(
        f"the limit of {stock.rate.per_minute:g} {stock.unit} a minute at {name!r} has no room for {wait_s:.1f} s",
        hint=f"allow the run more time, or raise {place}.{stock.unit}_per_minute",
        retry_after_s=wait_s,
    )


def _wait_s(charges: Sequence[Charge], now: float) -> float:
    """Return how long it takes until what is booked may be used."""
    return max([stock.wait_s(now) for stock, _ in charges], default=0.0)
