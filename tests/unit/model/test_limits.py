"""The arithmetic of rates: what is booked in any time, whatever is wanted when and given back."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.limits import Booked, Booking, Rate, book

FINE = 1e-6
RATES = st.sampled_from([3.0, 10.0, 60.0, 600.0, 30_000.0])
STEPS = st.lists(
    st.tuples(
        st.floats(0, 40),  # seconds since the step before
        st.floats(0.01, 1),  # amount, as a share of what may be booked at once
        st.floats(0, 120),  # how long the caller waits
        st.sampled_from([None, None, 0.0, 0.5, 1.5]),  # what is used of it in the end, as soon as it may be
    ),
    max_size=40,
)


@dataclass
class Ledger:
    """What was booked of one rate and when, and what was settled, in the order in which that counts."""

    rate: Rate
    used: list[float] = field(default_factory=lambda: [0.0])
    lines: list[tuple[float, float]] = field(default_factory=list)
    owed: float = 0.0

    def book(self, amount: float, *, now: float, within_s: float) -> Booked:
        booked = book(self.used, [Booking(self.rate, amount, self.owed)], now=now, within_s=within_s)
        self.used = [*booked.marks]
        if self.owed:
            self.lines.append((now, self.owed))
        self.owed = 0.0
        if booked.wait_s <= within_s:
            self.lines.append((now + booked.wait_s, amount))
        return booked

    def most_beyond(self) -> float:
        """Return by how much more than its time's worth was booked in any time: less than the room, or debts."""
        lines = sorted(self.lines, key=lambda line: line[0])
        per_s = 1 / self.rate.interval_s
        worst = 0.0
        for first, (begin, _) in enumerate(lines):
            for (end, _), total in zip(lines[first:], accumulate(amount for _, amount in lines[first:]), strict=True):
                worst = max(worst, total - (end - begin) * per_s)
        return worst


@given(RATES, STEPS)
def test_in_any_time_no_more_is_booked_than_its_worth_and_the_room(
    per_minute: float, steps: list[tuple[float, float, float, float | None]]
) -> None:
    ledger = Ledger(Rate(name="x", per_minute=per_minute))
    now = 1_000.0
    for pause, share, within_s, share_used in steps:
        now += pause
        amount = share * ledger.rate.room
        booked = ledger.book(amount, now=now, within_s=within_s)
        if share_used is not None and share_used <= 1 and booked.wait_s == 0:
            ledger.owed = amount * (share_used - 1)

    assert ledger.most_beyond() <= ledger.rate.room * (1 + FINE) + FINE


@given(RATES, STEPS)
def test_what_calls_use_beyond_what_was_booked_is_paid_by_those_that_follow(
    per_minute: float, steps: list[tuple[float, float, float, float | None]]
) -> None:
    ledger = Ledger(Rate(name="x", per_minute=per_minute))
    now = begin = 1_000.0
    overdrawn = 0.0
    for pause, share, _, share_used in steps:
        now += pause
        amount = share * ledger.rate.room
        ledger.book(amount, now=now, within_s=1e9)
        ledger.owed = amount * (share_used - 1) if share_used else 0.0
        overdrawn = max(overdrawn, ledger.owed)

    total = sum(amount for _, amount in ledger.lines)
    end = max([now, *(at for at, _ in ledger.lines)])
    assert total <= (end - begin) / ledger.rate.interval_s + (ledger.rate.room + overdrawn) * (1 + FINE) + FINE


def test_a_booking_waits_until_there_is_room_and_no_longer() -> None:
    ledger = Ledger(Rate(name="x", per_minute=60))

    waits = [ledger.book(1, now=100.0, within_s=10).wait_s for _ in range(8)]

    assert waits == [0, 0, 0, 0, 0, 1, 2, 3]
    assert (ledger.rate.room, ledger.rate.burst) == (5, 6)


def test_a_booking_that_is_given_back_never_was() -> None:
    ledger = Ledger(Rate(name="x", per_minute=3))
    ledger.book(1, now=100.0, within_s=0)
    assert ledger.book(1, now=100.0, within_s=60).wait_s == 20

    ledger.owed = -1
    assert ledger.book(1, now=100.0, within_s=60).wait_s == 20


def test_one_that_would_wait_too_long_takes_nothing_but_pays_what_is_owed() -> None:
    ledger = Ledger(Rate(name="x", per_minute=60))
    ledger.book(5, now=100.0, within_s=0)
    ledger.owed = 2

    assert ledger.book(1, now=100.0, within_s=2.9).wait_s == 3
    assert ledger.book(1, now=100.0, within_s=3).wait_s == 3


def test_several_rates_are_booked_for_the_moment_that_has_room_in_all_or_not_at_all() -> None:
    requests, tokens = Rate(name="r", per_minute=60), Rate(name="t", per_minute=600)
    used = [0.0, 107.0]

    too_late = book(used, [Booking(requests, 1), Booking(tokens, 10)], now=100.0, within_s=2)
    booked = book(used, [Booking(requests, 1), Booking(tokens, 10)], now=100.0, within_s=3)
    told = book(used, [Booking(requests, 0, 2), Booking(tokens, 0, -10)], now=100.0, within_s=0)

    assert too_late == Booked(3, 1, marks=[100, 107])
    assert booked == Booked(3, 1, marks=[104, 108])
    assert told == Booked(0, 0, marks=[102, 106])


def test_what_is_given_back_counts_unless_somebody_has_booked_since() -> None:
    rate = Rate(name="x", per_minute=60)
    first = book([107.0], [Booking(rate, 2)], now=100.0, within_s=9)
    second = book(first.marks, [Booking(rate, 1)], now=100.0, within_s=9)

    alone = book(first.marks, [Booking(rate, 0, back=2, mark=first.marks[0])], now=101.0, within_s=0)
    late = book(second.marks, [Booking(rate, 0, back=2, mark=first.marks[0])], now=101.0, within_s=0)

    assert (first.marks, second.marks, alone.marks, late.marks) == ([109], [110], [107], [110])


@pytest.mark.parametrize(("per_minute", "room"), [(3, 1), (11, 1), (60, 5), (6_000, 500)])
def test_a_burst_is_five_seconds_worth_and_at_least_one(per_minute: int, room: float) -> None:
    assert Rate(name="x", per_minute=per_minute).room == pytest.approx(room)


def test_several_processes_share_alike() -> None:
    rate = Rate(name="x", per_minute=60)

    assert (rate.share(4).per_minute, rate.share(0).per_minute) == (15, 60)
