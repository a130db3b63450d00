"""What an address or a key may ask for, counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.clock import SystemClock
from cuewire.server.limits import Crowd, Rate
from cuewire.wire.problems import Refused


class MovedClock(SystemClock):
    """A clock that is moved by hand."""

    at = 1_000.0

    def monotonic(self) -> float:
        return self.at


@given(per_minute=st.integers(1, 100), steps=st.lists(st.floats(0, 5), max_size=300))
def test_in_no_minute_are_there_more_than_twice_as_many(per_minute: int, steps: list[float]) -> None:
    clock = MovedClock()
    rate = Rate(per_minute, clock=clock)
    taken = []
    for step in steps:
        clock.at += step
        if rate.take("a") == 0:
            taken.append(clock.at)

    for at in taken:
        assert sum(at <= other < at + 60 for other in taken) <= 2 * per_minute
    assert len(taken) >= min(len(steps), per_minute)


@given(per_minute=st.integers(1, 1_000))
def test_what_is_to_be_waited_is_enough(per_minute: int) -> None:
    clock = MovedClock()
    rate = Rate(per_minute, clock=clock)
    assert [rate.take("a") for _ in range(per_minute)] == [0.0] * per_minute

    wait = rate.take("a")

    assert 0 < wait <= 60 / per_minute + 1e-6
    assert rate.left("a") == 0
    clock.at += wait + 1e-6
    assert rate.take("a") == 0.0


def test_names_are_counted_apart() -> None:
    rate = Rate(2, clock=MovedClock())

    assert [rate.take("a"), rate.take("a"), rate.take("b")] == [0.0, 0.0, 0.0]
    assert rate.take("a") > 0
    assert (rate.left("a"), rate.left("b"), rate.left("c")) == (0, 1, 2)


def test_who_has_a_whole_minute_again_is_forgotten() -> None:
    clock = MovedClock()
    rate = Rate(1, clock=clock, max_names=3)
    for name in "ab":
        rate.take(name)
    clock.at += 61
    for name in "cde":
        assert rate.take(name) == 0.0

    assert [rate.wait(name) > 0 for name in "abcde"] == [False, False, True, True, True]


def test_an_address_has_its_places_back_when_it_leaves_them() -> None:
    crowd = Crowd(2)

    with crowd.joined("a"), crowd.joined("a"), crowd.joined("b"):
        with pytest.raises(Refused) as refused:
            crowd.joined("a")
        assert refused.value.retry_after_s == 1.0
    with crowd.joined("a"), crowd.joined("a"):
        pass
