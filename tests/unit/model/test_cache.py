"""Until when an answer may be given again, and when similar questions may have the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.cache import MAX_WRONG_RATE, CacheMatch, Trust, check_verdict, no_match
from cuewire.model.errors import InvalidInput
from tests.support.stores import NOON, cache_entry, execution_id

SECOND = timedelta(seconds=1)


def test_an_entry_holds_until_the_moment_at_which_it_expires() -> None:
    entry = cache_entry(expires_at=NOON + SECOND)

    assert [entry.holds(NOON), entry.holds(NOON + SECOND)] == [True, False]
    assert cache_entry().holds(NOON + 10**6 * SECOND)


@pytest.mark.parametrize(("ttl_s", "stale"), [(None, False), (10.001, False), (10, True), (1e-6, True)])
def test_an_entry_is_stale_from_its_age_on_if_that_matters(ttl_s: float | None, stale: bool) -> None:
    assert cache_entry(created_at=NOON).is_stale(ttl_s, NOON + 10 * SECOND) is stale


@pytest.mark.parametrize(
    ("right", "wrong", "suffices"),
    [(298, 0, False), (299, 0, True), (471, 1, False), (472, 1, True), (0, 0, False), (0, 1, False), (99, 1, False)],
)
def test_answers_are_given_where_at_most_one_in_a_hundred_is_wrong_for_all_that_is_known(
    right: int, wrong: int, suffices: bool
) -> None:
    assert Trust(right=right, wrong=wrong, undecided=9).suffices is suffices


@given(st.integers(0, 2_000), st.integers(0, 40), st.integers(0, 9))
def test_what_suffices_is_as_the_bound_says_and_what_is_undecided_counts_for_nothing(
    right: int, wrong: int, undecided: int
) -> None:
    trust = Trust(right=right, wrong=wrong, undecided=undecided)

    assert trust.suffices == (trust.most_wrong <= MAX_WRONG_RATE)
    assert trust.most_wrong == Trust(right=right, wrong=wrong, undecided=0).most_wrong


def test_a_match_without_bodies_says_nothing_of_what_was_asked_and_answered() -> None:
    match = CacheMatch(
        execution_id=execution_id(),
        version_id=1,
        prompt="topic",
        version=1,
        subject="s" * 64,
        source_id=execution_id(),
        similarity=0.97,
        text="secret one",
        matched_text="secret two",
        created_at=NOON,
        verdict="right",
        answer="secret three",
        matched_answer="secret four",
    )

    assert "secret" in repr(match)
    assert "secret" not in repr(match.without_bodies())
    assert match.without_bodies().verdict == "right"


@pytest.mark.parametrize("word", ["", "Right", "perhaps", "x" * 99])
def test_a_verdict_is_one_of_two_words(word: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_verdict(word)

    assert (refused.value.field, refused.value.hint) == ("/verdict", "say right or wrong")
    assert len(refused.value.message) < 70
    assert [check_verdict("right"), check_verdict("wrong")] == ["right", "wrong"]


def test_an_execution_that_is_no_match_is_named_and_what_lists_matches() -> None:
    error = no_match("abc")

    assert ("abc" in error.message, error.hint) == (True, "list them with: cuewire cache matches")
