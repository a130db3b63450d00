"""How many calls failures can lead to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.engine.budgets import RETRIES_AT_ONCE, CallBudget, RetryBudgets

WISHES = st.lists(st.integers(0, 12), max_size=400)
"""Retries that each request would like to have."""


def granted(budgets: RetryBudgets, wishes: list[int], key: str = "openai") -> list[int]:
    """Return how many retries each request gets."""
    retries = []
    for wish in wishes:
        budgets.requested(key)
        retries.append(sum(budgets.take(key) for _ in range(wish)))
    return retries


@given(max_calls=st.integers(0, 300), wanted=st.integers(0, 600))
def test_an_execution_makes_no_more_calls_than_it_may(max_calls: int, wanted: int) -> None:
    budget = CallBudget(max_calls)

    taken = [budget.take() for _ in range(wanted)]

    assert taken == [place < max_calls for place in range(wanted)]
    assert budget.left == max(0, max_calls - wanted)


@given(WISHES)
def test_in_any_row_of_requests_retries_are_few(wishes: list[int]) -> None:
    retries = granted(RetryBudgets(), wishes)

    excess = worst = 0.0
    for count in retries:  # the row that ends here and is worst
        excess = max(0.0, excess) + count - 0.19
        worst = max(worst, excess)
    assert worst <= RETRIES_AT_ONCE + 1e-9


@pytest.mark.parametrize("max_retries", [1, 3, 10])
@pytest.mark.parametrize("before", [0, 5_000])
def test_if_nothing_works_a_thousand_requests_lead_to_at_most_a_fifth_more_calls(max_retries: int, before: int) -> None:
    budgets = RetryBudgets()
    granted(budgets, [0] * before)

    retries = granted(budgets, [max_retries] * 1_000)

    assert 190 <= sum(retries) <= 200


def test_a_single_call_has_all_the_retries_that_a_policy_can_allow() -> None:
    assert granted(RetryBudgets(), [10]) == [10]


def test_requests_that_work_bring_the_retries_back() -> None:
    budgets = RetryBudgets()
    assert granted(budgets, [12, 1, 1]) == [10, 0, 0]
    assert budgets.left("openai") == 0

    granted(budgets, [0] * 60)

    assert budgets.left("openai") == 10
    assert granted(budgets, [12]) == [10]


def test_keys_are_counted_apart_and_forgotten_when_full() -> None:
    budgets = RetryBudgets()
    granted(budgets, [12], key="a")

    assert granted(budgets, [3], key="b") == [3]
    assert (budgets.left("a"), budgets.left("b"), budgets.left("c")) == (0, 7, 10)
