"""Candidates agree if their values say the same, however they are written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.engine.select.consensus import form_of, normal_text
from cuewire.model.candidates import CandidateEnd, Selection
from cuewire.model.policies import Consensus
from tests.support.candidate_ends import ended, selected

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


async def agreed(values: list[Any], **options: float) -> Selection:
    return await selected(
        Consensus(**options), [ended(index, str(value), value=value) for index, value in enumerate(values)]
    )


def turned(value: Any) -> Any:
    """Return the value with the keys of its objects in the other order, and blanks around its texts."""
    match value:
        case dict():
            return {key: turned(value[key]) for key in reversed(value)}
        case list():
            return [turned(item) for item in value]
        case str():
            return f" {value}\t\n"
    return value


async def test_what_most_say_wins_and_the_agreement_is_their_share() -> None:
    selection = await agreed(["blue", "red", "Red.", "green", " RED "])

    assert (selection.method, selection.winner, selection.agreement) == ("consensus", 1, 0.6)
    assert selection.reason == "3 of 5 agree"
    assert [(ranked.index, ranked.score) for ranked in selection.ranking] == [
        *((1, 0.6), (2, 0.6), (4, 0.6)),
        *((0, 0.2), (3, 0.2)),
    ]


async def test_of_two_that_are_as_many_the_one_that_comes_first_in_the_plan_wins() -> None:
    ends = [ended(0, "red"), ended(1, "blue"), ended(2, "red"), ended(3, "blue", priority=1)]

    selection = await selected(Consensus(), ends)

    assert (selection.winner, selection.agreement) == (3, 0.5)


@pytest.mark.parametrize(("quorum", "winner"), [(0.0, 0), (0.4, 0), (0.41, None), (0.6, None), (1.0, None)])
async def test_without_a_quorum_none_is_selected(quorum: float, winner: int | None) -> None:
    selection = await agreed(["red", "red", "blue", "green", "grey"], quorum=quorum)

    assert selection.winner == winner
    assert selection.agreement == 0.4
    assert len(selection.ranking) == 5
    if winner is None:
        assert selection.reason == f"2 of 5 agree, {quorum:g} asked"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (False, 0),
        (1, "1"),
        (True, "true"),
        (None, False),
        ([1, 2], [2, 1]),
        ([1, [2]], [[1], 2]),
        ({"a": 1}, {"A": 1}),
        ({"a": 1}, {"a": None}),
        ({"a": 1}, {"a": 1, "b": None}),
        ({}, []),
        ([], ""),
        (10**400, 10**400 + 1),
        ("-5", "5"),
        (".5", "5"),
        (".5 l", "5 l"),
        ("5%", "5"),
        ("C#", "C"),
        ("???", "!"),
        ("2026-11-21", "2026-11-22"),
        ("2026-11-21", "2026-11-21T00:00"),
        ("2026-11-21T14:30", "2026-11-21T14:30Z"),
        ("2026-11-21T14:30+01:00", "2026-11-21T14:30Z"),
        ("at 2026-11-21T14:30+01:00", "at 2026-11-21T13:30Z"),
    ],
)
async def test_what_says_something_else_does_not_agree(one: Any, other: Any) -> None:
    assert (await agreed([one, other])).agreement == 0.5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (0.1 + 0.2, 0.3),
        (10**400, 10**400),
        (float("inf"), float("inf")),
        ({"a": 1, "b": {"c": "X", "d": [True]}}, {"b": {"d": [True], "c": "x."}, "a": 1.0}),
        ("ﬁn\u00a0de\n siècle", "Fin de SIÈCLE."),
        ('**"Yes!"**', "yes"),
        ("`Straße`", "STRASSE"),
        ('"5".', "5"),
        ("(see above).", "see above"),
        ("2026-11-21.", "2026-11-21"),
        ("2026-11-21T14:30+01:00", "2026-11-21T13:30:00.0Z"),
        ('"2026-11-21 14:30".', "2026-11-21T14:30:00"),
        ({"at": ["2026-11-21T14:30+01:00"]}, {"at": ["2026-11-21t13:30z"]}),
    ],
)
async def test_what_says_the_same_agrees_however_it_is_written(one: Any, other: Any) -> None:
    assert (await agreed([one, other])).agreement == 1.0


async def test_an_answer_without_a_value_counts_with_its_text() -> None:
    ends = [ended(0, "blue", value=None), ended(1, "red", value=None), ended(2, "Red", value=None)]

    assert (await selected(Consensus(), ends)).winner == 1


async def test_numbers_agree_within_the_tolerance_of_the_larger() -> None:
    assert (await agreed([90, 100], tolerance=0.1)).agreement == 1.0
    assert (await agreed([89.9, 100], tolerance=0.1)).agreement == 0.5
    assert (await agreed([-100, 100], tolerance=0.99)).agreement == 0.5
    assert (await agreed([2**60, 2**60 + 1], tolerance=0.0)).agreement == 0.5
    assert (await agreed([{"a": [90]}, {"a": [100]}], tolerance=0.1)).agreement == 1.0


async def test_a_chain_of_near_numbers_is_no_agreement_of_its_ends() -> None:
    selection = await agreed([100, 108, 116, 125, 134], tolerance=0.08)

    assert (selection.winner, selection.agreement) == (1, 0.6)
    assert [ranked.score for ranked in selection.ranking] == [0.6, 0.6, 0.6, 0.4, 0.4]


async def test_a_value_may_be_nested_deeper_than_calls() -> None:
    value = json.loads("[" * 900 + "]" * 900)

    assert len(form_of(value).marks) == 900
    assert (await agreed([value, value])).agreement == 1.0


@given(st.lists(VALUES, min_size=1, max_size=6), st.data(), st.sampled_from([0.0, 1e-9, 0.3, 1.0]))
async def test_the_order_of_the_candidates_does_not_matter(
    values: list[Any], data: st.DataObject, tolerance: float
) -> None:
    ends = [ended(index, value=value) for index, value in enumerate(values)]
    others: list[CandidateEnd] = data.draw(st.permutations(ends))

    selection = await selected(Consensus(tolerance=tolerance), ends)

    assert selection == await selected(Consensus(tolerance=tolerance), others)


@given(VALUES)
async def test_neither_the_order_of_keys_nor_blanks_matter(value: Any) -> None:
    assert form_of(turned(value)) == form_of(value)


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=9), st.floats(0, 1))
async def test_the_agreement_is_the_share_of_the_largest_class(texts: list[str], quorum: float) -> None:
    selection = await agreed(list(texts), quorum=quorum)

    most = max(map(texts.count, texts))
    first = next(index for index, text in enumerate(texts) if texts.count(text) == most)
    assert selection.agreement == most / len(texts)
    assert selection.winner == (first if most / len(texts) >= quorum else None)


@given(st.text())
def test_what_is_normal_stays_so(text: str) -> None:
    assert normal_text(normal_text(text)) == normal_text(text)
