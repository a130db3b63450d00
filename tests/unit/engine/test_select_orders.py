"""Only valid candidates are selected, and every method but the judges' is a pure function of them and the seed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.engine.select import select
from cuewire.engine.select.orders import METRICS
from cuewire.model.candidates import CandidateEnd, Selection
from cuewire.model.policies import Consensus, Fastest, First, Judge, Metric, Random, SelectionMethod, Vote
from cuewire.model.usage import Usage
from tests.support.candidate_ends import TASK, ended, selected

METHODS: list[SelectionMethod] = [
    First(),
    Fastest(),
    Random(),
    Consensus(tolerance=0.1),
    *(Metric(metric=name) for name in METRICS),  # type: ignore[arg-type]  # the names are the metrics
    Judge(prompt="j"),
    Vote(judges=("j", "k")),
]
EACH = pytest.mark.parametrize("method", METHODS, ids=repr)


def places(selection: Selection) -> list[int]:
    return [ranked.index for ranked in selection.ranking]


@st.composite
def shuffled_ends(draw: st.DrawFn) -> tuple[list[CandidateEnd], list[CandidateEnd]]:
    """Return ends of a few candidates, and the same in another order."""
    count = draw(st.integers(0, 7))
    arrival = draw(st.permutations(range(count)))
    ends = [
        ended(
            index,
            draw(st.sampled_from(["red", "Red.", "blue", "green"])),
            value=draw(st.sampled_from(["red", "Red.", 1, 1.05, 1.1, True, None, {"a": 1, "b": [1.1]}])),
            group=draw(st.integers(0, 2)),
            priority=draw(st.integers(-1, 1)),
            status=draw(st.sampled_from(["valid", "valid", "invalid", "failed", "skipped"])),
            place=arrival[index],
            cost_usd=draw(st.sampled_from([None, 0.0, 0.1])),
            duration_ms=draw(st.sampled_from([None, 5.0, 9.0])),
            usage=Usage(input_tokens=draw(st.sampled_from([None, 3])), output_tokens=draw(st.sampled_from([None, 4]))),
        )
        for index in range(count)
    ]
    return ends, draw(st.permutations(ends))


@given(method=st.sampled_from(METHODS), both=shuffled_ends(), seed=st.integers(0, 2**80))
async def test_the_order_in_which_candidates_come_does_not_matter(
    method: SelectionMethod, both: tuple[list[CandidateEnd], list[CandidateEnd]], seed: int
) -> None:
    ends, others = both

    selection = await select(method, ends, task=TASK, seed=seed, judge=None)

    assert selection == await select(method, others, task=TASK, seed=seed, judge=None)


@given(method=st.sampled_from(METHODS), both=shuffled_ends())
async def test_every_valid_candidate_has_one_rank_and_the_first_of_them_wins(
    method: SelectionMethod, both: tuple[list[CandidateEnd], list[CandidateEnd]]
) -> None:
    ends, _ = both
    valid = [end.index for end in ends if end.status == "valid"]

    selection = await selected(method, ends)

    assert sorted(places(selection)) == sorted(valid)
    assert [ranked.rank for ranked in selection.ranking] == [*range(1, len(valid) + 1)]
    assert selection.winner == (places(selection)[0] if valid else None)
    assert selection.reason


@EACH
async def test_without_a_valid_candidate_none_is_selected(method: SelectionMethod) -> None:
    selection = await selected(method, [ended(0, status="invalid"), ended(1, status="failed")])

    assert selection.winner is None
    assert selection.method == method.__struct_config__.tag
    assert selection.reason == "none of 2 candidates is valid"
    assert selection.ranking == ()


@EACH
async def test_the_only_valid_candidate_wins_and_nobody_is_asked(method: SelectionMethod) -> None:
    selection = await selected(method, [ended(0, status="timed_out"), ended(1, "red"), ended(2, status="cancelled")])

    assert (selection.winner, selection.method) == (1, method.__struct_config__.tag)
    assert selection.reason == "the only valid candidate of 3"
    assert (selection.fallback_reason, selection.judges, selection.judge_cost_usd) == ("", (), 0.0)
    assert places(selection) == [1]


async def test_first_goes_by_group_then_the_highest_priority_then_the_plan() -> None:
    ends = [
        ended(0, group=1, priority=9),
        ended(1, priority=1),
        ended(2, priority=5),
        ended(3, priority=5),
        ended(4, priority=7, status="invalid"),
    ]

    selection = await selected(First(), ends)

    assert places(selection) == [2, 3, 1, 0]
    assert selection.reason == "first in the plan of 4 valid: group 0, priority 5"
    assert (selection.seed, selection.agreement) == (None, None)


async def test_fastest_goes_by_who_was_there_first() -> None:
    selection = await selected(Fastest(), [ended(0, place=2), ended(1, place=0, status="failed"), ended(2, place=1)])

    assert places(selection) == [2, 0]
    assert selection.reason == "there first of 2 valid"


async def test_random_is_drawn_by_the_seed_and_each_is_as_likely() -> None:
    ends = [ended(index) for index in range(4)]

    winners = Counter([(await selected(Random(), ends, seed=seed)).winner for seed in range(2_000)])

    assert sorted(winners, key=str) == [0, 1, 2, 3]
    assert all(abs(count - 500) < 100 for count in winners.values())
    assert [(await selected(Random(), ends, seed=seed)).winner for seed in range(8)] == [3, 1, 3, 1, 3, 1, 2, 0]
    assert (await selected(Random(), ends, seed=11)).seed == 11


@pytest.mark.parametrize(
    ("metric", "order", "scores"),
    [
        ("cost", [2, 1, 0], [0.0, 0.5, None]),
        ("latency", [1, 0, 2], [4.0, 8.0, None]),
        ("shortest", [0, 2, 1], [2, 2, 3]),
        ("longest", [1, 0, 2], [3, 2, 2]),
        ("fewest_tokens", [1, 0, 2], [5, 7, None]),
    ],
)
async def test_a_metric_selects_the_best_figure_and_puts_the_unknown_last(
    metric: Any, order: list[int], scores: list[float | None]
) -> None:
    ends = [
        ended(0, "ab", cost_usd=None, duration_ms=8.0, usage=Usage(input_tokens=3, output_tokens=4)),
        ended(1, "abc", cost_usd=0.5, duration_ms=4.0, usage=Usage(input_tokens=3, output_tokens=2)),
        ended(2, "cd", cost_usd=0.0, usage=Usage(input_tokens=None, output_tokens=1)),
    ]

    selection = await selected(Metric(metric=metric), ends)

    assert places(selection) == order
    assert [ranked.score for ranked in selection.ranking] == scores
    assert selection.reason.endswith(f" of 3 valid: {scores[0]:g}")


async def test_a_metric_that_nobody_has_leaves_the_order_of_the_plan() -> None:
    ends = [ended(0, cost_usd=None), ended(1, cost_usd=None, priority=3)]

    selection = await selected(Metric(metric="cost"), ends)

    assert places(selection) == [1, 0]
    assert selection.reason == "the least cost (USD) of 2 valid: not known of any"
