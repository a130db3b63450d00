"""What the model server of benchmark P6 holds calls to, and what it counts, by a clock that the test turns."""

from __future__ import annotations

import pytest

from bench.sides.limited_server import HEARD_S, SPENT_S, Bucket, Rule

RULE = Rule(per_s=10, burst=5, cost=1, window_s=10)
EMPTY_S = 1.0
"""When the bucket of `spent` has been emptied."""


def spent() -> Bucket:
    """Return a bucket that is empty and has refused nothing."""
    bucket = Bucket(RULE, now=EMPTY_S)
    assert [bucket.arrived(EMPTY_S, knows=False) for _ in range(5)] == [0] * 5
    return bucket


def test_no_more_is_let_through_than_the_burst_and_what_time_brings() -> None:
    bucket = Bucket(RULE, now=0)

    let_through = sum(bucket.arrived(number / 1_000, knows=False) == 0 for number in range(10_000))

    assert let_through == 5 + 99
    assert bucket.counts(10.0)["refused"] == 10_000 - 104


def test_what_a_call_costs_counts() -> None:
    bucket = Bucket(Rule(per_s=10, burst=5, cost=4, window_s=10), now=0)

    assert [bucket.arrived(at, knows=False) for at in (0, 0.2, 0.3, 0.31)] == [0, 1, 0, 1]


def test_whoever_is_refused_is_told_the_whole_seconds_until_there_is_room() -> None:
    assert spent().arrived(EMPTY_S, knows=False) == 1
    assert Bucket(Rule(per_s=0.4, burst=0.5, cost=1, window_s=10), now=0).arrived(0, knows=False) == 2


@pytest.mark.parametrize(
    ("later_s", "knows", "early", "crossed"),
    [
        (HEARD_S / 2, False, 0, 1),
        (HEARD_S / 2, True, 1, 0),
        (HEARD_S * 2, False, 1, 0),
        (0.99, False, 1, 0),
        (1.01, False, 0, 0),
        (1.01, True, 0, 0),
    ],
)
def test_a_call_before_the_wait_is_over_is_early_unless_it_had_left_before_that_was_known(
    later_s: float, knows: bool, early: int, crossed: int
) -> None:
    bucket = spent()
    bucket.arrived(EMPTY_S, knows=False)

    bucket.arrived(EMPTY_S + later_s, knows=knows)

    counts = bucket.counts(EMPTY_S + later_s)
    assert (counts["early"], counts["crossed"]) == (early, crossed)


def test_a_refusal_while_others_wait_makes_the_wait_longer_but_not_later_known() -> None:
    bucket = spent()
    bucket.arrived(EMPTY_S, knows=False)
    bucket.arrived(EMPTY_S + 0.05, knows=False)

    bucket.arrived(EMPTY_S + 1.04, knows=False)

    assert bucket.counts(EMPTY_S + 1.04)["early"] == 1


def test_the_share_is_counted_from_when_the_burst_is_spent_and_no_longer_than_the_window() -> None:
    bucket = spent()
    for fifth in range(100):
        bucket.arrived(EMPTY_S + fifth / 5, knows=False)
        is_over = bucket.counts(EMPTY_S + fifth / 5)["is_over"]
        assert is_over == (fifth >= 50)

    counts = bucket.counts(EMPTY_S + 20)

    assert counts["used_pct"] == pytest.approx(49)
    assert counts["per_s"] == 4.9
    assert (counts["let_through"], counts["refused"]) == (5 + 99, 1)


def test_what_comes_while_the_bucket_is_full_is_spilt() -> None:
    bucket = spent()
    bucket.arrived(EMPTY_S, knows=False)

    bucket.arrived(EMPTY_S + 8, knows=False)

    counts = bucket.counts(EMPTY_S + 9)
    assert counts["used_pct"] == pytest.approx(1)
    assert counts["spilt_pct"] == pytest.approx(75 + 9)


def test_what_never_spends_the_burst_is_measured_too() -> None:
    bucket = Bucket(RULE, now=0)
    for second in range(60):
        bucket.arrived(second, knows=False)

    assert bucket.counts(SPENT_S + 5)["used_pct"] == pytest.approx(10)
