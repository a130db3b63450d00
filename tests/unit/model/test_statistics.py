from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.statistics import paired_difference, percentile, upper_bound, wilson

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def test_wilson_agrees_with_a_published_example() -> None:
    # Newcombe, Statistics in Medicine 17 (1998) 857, table I: 81 of 263, score method without continuity correction.
    interval = wilson(81, 263)

    assert interval.low == pytest.approx(0.2553, abs=5e-5)
    assert interval.high == pytest.approx(0.3662, abs=5e-5)


def test_the_paired_interval_agrees_with_a_published_example() -> None:
    # Newcombe, Statistics in Medicine 17 (1998) 2635, table III: cells 36, 12, 2, 0, method 10.
    before = [True] * 36 + [True] * 12 + [False] * 2
    after = [True] * 36 + [False] * 12 + [True] * 2

    interval = paired_difference(after, before)

    assert interval.estimate == pytest.approx(0.20)
    assert interval.low == pytest.approx(0.0569, abs=5e-4)
    assert interval.high == pytest.approx(0.3404, abs=5e-4)


@given(PAIRS)
def test_the_paired_interval_holds_its_estimate_and_turns_with_its_sides(pairs: list[tuple[bool, bool]]) -> None:
    before, after = [b for b, _ in pairs], [a for _, a in pairs]

    forth, back = paired_difference(before, after), paired_difference(after, before)

    assert -1 <= forth.low <= forth.estimate <= forth.high <= 1
    assert back.low == pytest.approx(-forth.high)
    assert back.high == pytest.approx(-forth.low)


@pytest.mark.parametrize(("before", "after"), [([], []), ([True], [True, False])])
def test_a_paired_comparison_needs_the_same_units(before: list[bool], after: list[bool]) -> None:
    with pytest.raises(ValueError, match="same units"):
        paired_difference(before, after)


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.5, 2.5), (0.95, 3.85), (1, 4)])
def test_percentiles_interpolate_between_closest_ranks(share: float, expected: float) -> None:
    assert percentile([4, 1, 3, 2], share) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("events", "trials", "bound"),
    [
        (0, 1, 0.95),
        (0, 10, 0.2589),
        (0, 298, 0.010002),
        (0, 299, 0.009969),
        (1, 10, 0.3942),
        (1, 473, 0.009990),
        (2, 628, 0.009991),
        (5, 10, 0.7776),
        (9, 10, 0.9949),
        (10, 10, 1.0),
        (0, 0, 1.0),
    ],
)
def test_the_exact_upper_bound_agrees_with_the_binomial_distribution(events: int, trials: int, bound: float) -> None:
    assert upper_bound(events, trials) == pytest.approx(bound, abs=5e-5 if trials < 20 else 1e-6)


def test_without_events_the_upper_bound_is_where_so_many_trials_have_a_chance_of_five_percent() -> None:
    for trials in (1, 7, 299, 10_000):
        assert (1 - upper_bound(0, trials)) ** trials == pytest.approx(0.05, abs=1e-5)


@given(st.integers(0, 60), st.integers(1, 60))
def test_the_upper_bound_rises_with_events_and_falls_with_trials(events: int, more: int) -> None:
    trials = events + more

    assert events / trials <= upper_bound(events, trials) <= upper_bound(events + 1, trials) <= 1
    assert upper_bound(events, trials + 1) <= upper_bound(events, trials)
    assert upper_bound(events, trials) < 1
