"""One suite for every place where rates are counted: memory, Redis, PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import accumulate
from math import inf
from time import monotonic

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cuewire.model.errors import StoreError
from cuewire.model.limits import Booked, Booking, Rate, book
from tests.support.limiters import LIMITERS, PROCESSES, Limiters, new_rate, opened_limiters

FINE = 1e-4
STEPS = st.lists(
    st.tuples(
        st.integers(0, PROCESSES - 1),  # who asks
        st.floats(0.01, 1),  # for how much, as a share of the room
        st.sampled_from([0.0, 0.3, 3.0, inf]),  # how long they wait
        st.sampled_from([0.0, 0.0, -0.5, -1.0, 1.5]),  # what they owe of that afterwards
    ),
    min_size=1,
    max_size=12,
)
_SETTINGS = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=LIMITERS)
def limiters(request: pytest.FixtureRequest) -> Iterator[Limiters]:
    with opened_limiters(request.param) as opened:
        yield opened


class Seen:
    """What bookings of one rate came to, and what they should: the store's clock is known no better than a trip."""

    def __init__(self, limiters: Limiters, rate: Rate) -> None:
        self._each = limiters.each
        self._rate = rate
        self._used = [0.0]
        self.slack_s = 0.001
        self.owed = 0.0
        self.begins: list[float] = []
        self.ends: list[float] = []
        self.amounts: list[float] = []

    async def book(self, process: int, amount: float, within_s: float) -> tuple[Booked, float]:
        """Return what is told, and the wait that the arithmetic tells."""
        booking = Booking(self._rate, amount, self.owed)
        before = monotonic()
        booked = await self._each[process % len(self._each)].book([booking], within_s=within_s)
        after = monotonic()
        if self.owed:
            self._note(before, after, self.owed)
        if booked.wait_s <= within_s:
            self._note(before + booked.wait_s, after + booked.wait_s, amount)
        self.slack_s = max(self.slack_s, after - before)
        should = book(self._used, [booking], now=before, within_s=within_s)
        self._used = [*should.marks]
        return booked, should.wait_s

    def _note(self, begin: float, end: float, amount: float) -> None:
        self.begins.append(begin)
        self.ends.append(end)
        self.amounts.append(amount)

    def most_beyond(self) -> float:
        """Return by how much more than its time's worth was surely booked in any time."""
        order = sorted(range(len(self.amounts)), key=lambda place: self.begins[place])
        worst = 0.0
        for first in range(len(order)):
            rest = order[first:]
            for last, total in zip(rest, accumulate(self.amounts[place] for place in rest), strict=True):
                time_s = self.ends[last] - self.begins[rest[0]]
                worst = max(worst, total - time_s / self._rate.interval_s)
        return worst


@_SETTINGS
@given(per_minute=st.sampled_from([60.0, 600.0, 90_000.0]), steps=STEPS)
def test_whoever_asks_in_whatever_order_gets_what_the_arithmetic_says(
    limiters: Limiters, per_minute: float, steps: list[tuple[int, float, float, float]]
) -> None:
    rate = new_rate(per_minute)
    seen = Seen(limiters, rate)

    async def ask() -> None:
        for process, share, within_s, owes in steps:
            amount = share * rate.room
            booked, should_s = await seen.book(process, amount, within_s)
            assert abs(booked.wait_s - should_s) <= 2 * seen.slack_s + FINE
            if abs(should_s - within_s) <= 2 * seen.slack_s:
                return  # either would be right
            assert (booked.wait_s <= within_s) is (should_s <= within_s)
            is_used_now = booked.wait_s == 0
            seen.owed = amount * owes if is_used_now or owes == 0 else 0.0

    limiters.runner.run(ask())


@_SETTINGS
@given(per_minute=st.sampled_from([3.0, 600.0, 90_000.0]), steps=STEPS)
def test_in_any_time_there_is_no_more_than_its_worth_and_one_burst(
    limiters: Limiters, per_minute: float, steps: list[tuple[int, float, float, float]]
) -> None:
    rate = new_rate(per_minute)
    seen = Seen(limiters, rate)

    async def ask() -> None:
        for process, share, within_s, owes in steps:
            amount = share * rate.room
            booked, _ = await seen.book(process, amount, within_s)
            seen.owed = amount * min(owes, 0.0) if booked.wait_s == 0 else 0.0

    limiters.runner.run(ask())
    assert seen.most_beyond() <= rate.room + FINE


def test_nobody_is_passed_over_however_many_ask_at_once(limiters: Limiters) -> None:
    rate = new_rate(600)

    async def ask() -> list[float]:
        asked = [
            limiters.each[number % len(limiters.each)].book([Booking(rate, rate.room)], within_s=inf)
            for number in range(12)
        ]
        return sorted(booked.wait_s for booked in await asyncio.gather(*asked))

    waits = limiters.runner.run(ask())

    assert waits == pytest.approx([place * 5.0 for place in range(12)], abs=2.0)
    assert all(later - earlier > 3 for earlier, later in zip(waits, waits[1:], strict=False))


def test_what_was_not_used_is_there_for_the_next_one(limiters: Limiters) -> None:
    rate = new_rate(3)
    first, last = limiters.each[0], limiters.each[-1]

    async def ask() -> tuple[float, ...]:
        taken = await first.book([Booking(rate, 1)], within_s=0)
        refused = await last.book([Booking(rate, 1)], within_s=0)
        after = await first.book([Booking(rate, 1, -1)], within_s=0)
        return taken.wait_s, refused.wait_s, after.wait_s

    assert limiters.runner.run(ask()) == pytest.approx((0, 20, 0), abs=1)


def test_a_booking_that_is_given_back_never_was_unless_somebody_has_booked_behind_it(limiters: Limiters) -> None:
    rate = new_rate(3)
    first, last = limiters.each[0], limiters.each[-1]

    async def give_back(booked: Booked) -> None:
        await first.book([Booking(rate, 0, back=1, mark=booked.marks[0])], within_s=0)

    async def ask() -> tuple[float, ...]:
        await first.book([Booking(rate, 1)], within_s=0)
        held = await first.book([Booking(rate, 1)], within_s=99)
        await give_back(held)
        next_one = await last.book([Booking(rate, 1)], within_s=99)
        held = await first.book([Booking(rate, 1)], within_s=99)
        behind = await last.book([Booking(rate, 1)], within_s=99)
        await give_back(held)
        return next_one.wait_s, behind.wait_s, (await last.book([Booking(rate, 1)], within_s=99)).wait_s

    assert limiters.runner.run(ask()) == pytest.approx((20, 60, 80), abs=1)


def test_several_rates_are_taken_together_or_not_at_all(limiters: Limiters) -> None:
    requests, tokens = new_rate(60), new_rate(60_000)
    limiter = limiters.each[0]

    async def ask() -> tuple[Booked, Booked, Booked]:
        await limiter.book([Booking(tokens, tokens.room)], within_s=0)
        both = [Booking(requests, requests.room), Booking(tokens, tokens.room)]
        refused = await limiter.book(both, within_s=1)
        return refused, await limiter.book(both, within_s=9), await limiter.book([Booking(requests, 1)], within_s=0)

    refused, booked, later = limiters.runner.run(ask())

    assert refused.last == 1
    assert (refused.wait_s, booked.wait_s) == pytest.approx((5, 5), abs=0.5)
    assert later.wait_s == pytest.approx(6, abs=0.5)


def test_what_is_owed_counts_from_now_however_long_nobody_has_asked(limiters: Limiters) -> None:
    rate = new_rate(60)

    async def ask() -> tuple[float, float]:
        owing = await limiters.each[0].book([Booking(rate, 0, 3)], within_s=0)
        return owing.wait_s, (await limiters.each[-1].book([Booking(rate, rate.room)], within_s=9)).wait_s

    owing, after = limiters.runner.run(ask())

    assert (owing, after) == pytest.approx((0, 3), abs=0.5)


def test_a_booking_that_is_cancelled_leaves_the_limiter_usable(limiters: Limiters) -> None:
    rate = new_rate(60)
    limiter = limiters.each[0]

    async def ask() -> float:
        for turns in range(6):
            booking = asyncio.ensure_future(limiter.book([Booking(rate, 0.1)], within_s=0))
            for _ in range(turns):
                await asyncio.sleep(0)
            booking.cancel()
            await asyncio.wait([booking])
        return (await limiter.book([Booking(rate, 1)], within_s=0)).wait_s

    assert limiters.runner.run(ask()) == 0


def test_processes_that_share_know_how_many_they_are(limiters: Limiters) -> None:
    rate = new_rate(60)

    async def ask() -> int:
        return max([(await limiter.book([Booking(rate, 0.1)], within_s=0)).processes for limiter in limiters.each])

    assert limiters.runner.run(ask()) == len(limiters.each)


@pytest.mark.parametrize("kind", ["redis"])
def test_one_that_does_not_answer_is_an_error_within_a_second(kind: str) -> None:
    with opened_limiters(kind) as limiters:
        limiter = limiters.each[0]
        limiters.runner.run(_shut_down(limiter))
        began = monotonic()

        with pytest.raises(StoreError) as away:
            limiters.runner.run(limiter.book([Booking(new_rate(60), 1)], within_s=0))

        assert monotonic() - began < 3
        assert "each process keeps to its share" in away.value.hint


async def _shut_down(limiter: object) -> None:
    client = vars(limiter)["_redis"]
    await client.shutdown(nosave=True)
