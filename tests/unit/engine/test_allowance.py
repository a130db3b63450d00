"""What a process may use of rates counted elsewhere: booked ahead, corrected, and its share while that is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import pytest

from cuewire.engine.allowance import AGAIN_AT_MOST_S, AGAIN_S, Allowance, Charge, Stock
from cuewire.limiters.local import LocalLimiter
from cuewire.model.errors import LimitReached, StoreUnavailable
from cuewire.model.limits import KEPT_S, Booked, Booking, Rate
from tests.support.virtual_time import VirtualClock, virtually

TRIP_S = 0.001


class Elsewhere(LocalLimiter):
    """Counts for several processes, a trip away; `told` is what it was asked. It can be away, and then come back."""

    block_s = 0.25

    def __init__(self, clock: VirtualClock, *, processes: int = 4) -> None:
        super().__init__(clock)
        self.told: list[Booking] = []
        self.is_away = self.is_closed = False
        self._processes = processes

    async def book(self, bookings: Sequence[Booking], *, within_s: float) -> Booked:
        self.told += bookings
        await asyncio.sleep(TRIP_S)
        if self.is_away:
            raise StoreUnavailable("it is away")
        return (await super().book(bookings, within_s=within_s))._replace(processes=self._processes)

    async def close(self) -> None:
        self.is_closed = True


class Made:
    """An allowance, and a stock of a hundred a second."""

    def __init__(self, *, per_minute: float = 6_000) -> None:
        self.clock = VirtualClock()
        self.elsewhere = Elsewhere(self.clock)
        self.allowance = Allowance(self.elsewhere, fallback=LocalLimiter(self.clock), clock=self.clock)
        self.stock = Stock(Rate(name="openai tokens", per_minute=per_minute), unit="tokens")

    async def take(self, amount: float, *, within_s: float = 100.0) -> None:
        """Take an amount, when there is room for it."""
        charges = [Charge(self.stock, amount)]
        if not await self.allowance.has_at_once(charges):
            await self.allowance.gather(charges, until=self.clock.monotonic() + within_s)
        self.allowance.take(charges)


@virtually
async def test_a_process_books_ahead_so_that_not_every_call_asks() -> None:
    made = Made()

    for _ in range(50):
        await made.take(1)

    assert [booking.amount for booking in made.elsewhere.told] == [25, 25]
    assert made.clock.monotonic() == pytest.approx(2 * TRIP_S)


@virtually
async def test_what_is_booked_ahead_is_for_soon_and_nobody_can_save_it_up() -> None:
    made = Made()
    await made.take(1)

    await asyncio.sleep(KEPT_S + 1)
    await made.take(1)

    assert [(booking.amount, booking.owed, booking.back) for booking in made.elsewhere.told] == [(25, 0, 0)] * 2


@virtually
async def test_a_booking_for_later_is_waited_for_and_given_back_by_who_does_not_wait() -> None:
    made = Made()
    await made.take(500)
    waiting = asyncio.ensure_future(made.take(100))
    await asyncio.sleep(0.1)

    waiting.cancel()
    await asyncio.wait([waiting])
    await made.take(50)

    assert [(booking.amount, booking.back) for booking in made.elsewhere.told] == [
        (500, 0),
        (100, 0),
        (0, 100),
        (50, 0),
    ]
    assert made.clock.monotonic() == pytest.approx(0.5, abs=0.01)


@virtually
async def test_what_a_process_owes_much_of_is_told_at_once_and_the_rest_with_the_next_booking() -> None:
    made = Made()
    await made.take(25)

    made.stock.used(30, booked=25)
    await made.allowance.settle([made.stock])
    made.stock.used(50, booked=25)
    await made.allowance.settle([made.stock])
    made.stock.used(20, booked=25)
    await made.allowance.settle([made.stock])
    await made.take(1)

    assert [(booking.amount, booking.owed) for booking in made.elsewhere.told] == [(25, 0), (0, 30), (25, -5)]


@virtually
async def test_a_debt_of_which_nobody_knows_whether_it_arrived_counts_twice() -> None:
    made = Made()
    made.stock.used(40, booked=25)
    booking = asyncio.ensure_future(made.take(1))
    await asyncio.sleep(TRIP_S / 2)

    booking.cancel()
    await asyncio.wait([booking])
    await made.take(1)

    assert [booking.owed for booking in made.elsewhere.told] == [15, 15]


@virtually
async def test_a_call_that_cannot_wait_so_long_is_told_so() -> None:
    made = Made()
    await made.take(500)

    with pytest.raises(LimitReached, match=r"6000 tokens a minute at 'openai' has no room for 1\.0 s") as refused:
        await made.take(100, within_s=0.5)

    assert refused.value.retry_after_s == pytest.approx(1, abs=0.01)
    assert made.clock.monotonic() < 0.1


@virtually
async def test_while_the_place_is_away_a_process_keeps_to_its_share(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="cuewire.engine")
    made = Made()
    await made.take(25)
    shared = made.allowance.counted

    made.elsewhere.is_away = True
    await made.take(125)
    begin = made.clock.monotonic()
    await made.take(50)

    assert (shared, made.allowance.counted) == ("shared", "share")
    assert made.clock.monotonic() - begin == pytest.approx(2, abs=0.01)
    assert [record.getMessage() for record in caplog.records] == ["limit.away reason=store_unavailable processes=4"]


@virtually
async def test_the_place_is_asked_again_less_and_less_often_and_used_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="cuewire.engine")
    made = Made(per_minute=60_000)
    made.elsewhere.is_away = True
    asked = []

    while made.clock.monotonic() < 100:
        count = len(made.elsewhere.told)
        await made.take(250)
        if len(made.elsewhere.told) > count:
            asked.append(made.clock.monotonic())
        await made.allowance.settle([made.stock])
        await asyncio.sleep(0.5)
    made.elsewhere.is_away = False
    await asyncio.sleep(AGAIN_AT_MOST_S)
    await made.take(250)

    gaps = [later - earlier for earlier, later in zip(asked, asked[1:], strict=False)]
    assert gaps == pytest.approx([AGAIN_S, 2, 4, 8, 16, 30, 30][: len(gaps)], abs=0.6)
    assert len(gaps) == 7
    assert made.allowance.counted == "shared"
    assert caplog.records[-1].getMessage() == "limit.back"


@virtually
async def test_what_is_owed_is_kept_while_the_place_is_away() -> None:
    made = Made()
    made.elsewhere.is_away = True
    await made.take(25)
    made.stock.used(900, booked=25)

    await made.allowance.settle([made.stock])

    assert made.stock.owed == 875


@virtually
async def test_the_limiter_is_closed_with_it() -> None:
    made = Made()

    await made.allowance.close()

    assert made.elsewhere.is_closed


@virtually
async def test_what_is_counted_here_is_told_nobody() -> None:
    clock = VirtualClock()
    local = LocalLimiter(clock)
    allowance = Allowance(local, fallback=local, clock=clock)
    stock = Stock(Rate(name="x", per_minute=60), unit="requests")
    stock.used(5, booked=1)

    await allowance.settle([stock])
    await allowance.close()

    assert (allowance.counted, stock.owed, stock.typical) == ("here", 4, 5)
