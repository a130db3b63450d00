"""Judges rank the candidates blind; what they fail to say, the candidates decide themselves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.engine.select import Judged, most_asks, select
from cuewire.model.errors import OutputError, PromptNotFound, RateLimited
from cuewire.model.executions import Failure
from cuewire.model.policies import First, Judge, Vote
from cuewire.model.prompts import Inputs
from tests.support.candidate_ends import TASK, ScriptedJudges, ended, preferring, ranking, selected, texts_by_label

COLOURS = ("red", "green", "blue")
ENDS = [ended(index, text) for index, text in enumerate(COLOURS)]
NOT_JSON = Judged(failure=Failure(code="output_invalid", message="not JSON: evil"), execution_id="e", cost_usd=0.5)


def limited(execution_id: str | None) -> RateLimited:
    error = RateLimited("too many calls")
    error.execution_id = execution_id
    return error


def by_label(inputs: Inputs) -> dict[str, Any]:
    """Rank what is labelled A first: a judge that goes by the place alone."""
    return ranking(list(texts_by_label(inputs)))


async def test_what_the_judge_ranks_first_wins() -> None:
    ask = ScriptedJudges({"best": preferring(["blue", "red", "green"])})

    selection = await selected(Judge(prompt="best"), ENDS, judge=ask)

    assert (selection.method, selection.winner, selection.fallback_reason) == ("judge", 2, "")
    assert selection.reason == "judge 'best' ranks it first of 3 valid"
    assert [(ranked.index, ranked.rank, ranked.score) for ranked in selection.ranking] == [
        (2, 1, 5),
        (0, 2, 5),
        (1, 3, 5),
    ]
    assert all("best on " in ranked.rationale for ranked in selection.ranking)
    assert (selection.judges, selection.judge_cost_usd, selection.seed) == (("x1",), 0.25, 7)
    assert selection.agreement is None


@given(st.permutations(ENDS), st.integers(0, 2**80), st.booleans())
async def test_the_same_seed_shows_a_judge_the_same(ends: Any, seed: int, reverse: bool) -> None:
    one, other = (ScriptedJudges({"best": by_label}) for _ in range(2))

    selection = await selected(Judge(prompt="best", reverse=reverse), ENDS, seed=seed, judge=one)

    assert selection == await selected(Judge(prompt="best", reverse=reverse), ends, seed=seed, judge=other)
    assert one.asked == other.asked


async def test_only_valid_candidates_are_shown() -> None:
    ask = ScriptedJudges({"best": preferring(COLOURS)})

    selection = await selected(Judge(prompt="best"), [*ENDS, ended(3, "grey", status="invalid")], judge=ask)

    assert sorted(texts_by_label(ask.asked[0][1]).values()) == sorted(COLOURS)
    assert 3 not in {ranked.index for ranked in selection.ranking}


async def test_two_looks_that_agree_are_shown_the_reverse_of_each_other() -> None:
    ask = ScriptedJudges({"best": preferring(["green", "red", "blue"])})

    selection = await selected(Judge(prompt="best", reverse=True), ENDS, judge=ask)

    first, second = (list(texts_by_label(inputs).values()) for _, inputs, _ in ask.asked)
    assert second == first[::-1]
    assert (selection.winner, selection.agreement) == (1, 1.0)
    assert selection.reason == "judge 'best' ranks it first of 3 valid, in both its looks"
    assert (selection.judges, selection.judge_cost_usd) == (("x1", "x2"), 0.5)


async def test_two_looks_that_differ_go_by_the_mean_rank() -> None:
    orders = iter([["red", "green", "blue"], ["green", "blue", "red"]])
    ask = ScriptedJudges({"best": lambda inputs: preferring(next(orders))(inputs)})

    selection = await selected(Judge(prompt="best", reverse=True), ENDS, judge=ask)

    assert [ranked.index for ranked in selection.ranking] == [1, 0, 2]
    assert selection.agreement == 0.5
    assert selection.reason == "judge 'best' ranks it first of 3 valid, by the mean of its two looks, which differ"


async def test_a_judge_that_goes_by_the_place_alone_is_found_out_by_its_second_look() -> None:
    ask = ScriptedJudges({"best": by_label})

    selection = await selected(Judge(prompt="best", reverse=True), ENDS, judge=ask)

    assert selection.winner == 0  # all have the same mean rank, and it is the first of the plan
    assert selection.agreement is not None
    assert selection.agreement < 1
    assert [ranked.score for ranked in selection.ranking] == [5, 5, 5]


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        (NOT_JSON, "it is not of the form that is asked for"),
        (OutputError("evil"), "it is not of the form that is asked for"),
        (
            Judged(
                failure=Failure(code="output_invalid", message="evil", field="/ranking/0"), execution_id="e", cost_usd=0
            ),
            "it is not of the form that is asked for, at /ranking/0",
        ),
        ({"ranking": []}, "it is not of the form that is asked for, at /ranking"),
        (ranking(["A", "B", "B"]), "each label must occur exactly once; missing: C"),
        (ranking(["A", "B", "D"]), "it is not of the form that is asked for, at /ranking/2/label"),
        ({**ranking(["A", "B", "C"]), "winner": "A"}, "it is not of the form that is asked for"),
        (ranking(["A", "B", "C"], score=11), "it is not of the form that is asked for, at /ranking/0/score"),
        (
            {"ranking": [{"label": label, "reason": "", "score": 1, "rank": 2} for label in "ABC"]},
            "each rank must occur exactly once; missing: 1, 3",
        ),
    ],
)
async def test_a_judge_is_told_once_what_was_wrong(wrong: Any, fault: str) -> None:
    ask = ScriptedJudges({"best": lambda inputs: preferring(COLOURS)(inputs) if inputs["fault"] else wrong})

    selection = await selected(Judge(prompt="best"), ENDS, judge=ask)

    assert (selection.method, selection.winner, selection.fallback_reason) == ("judge", 0, "")
    assert [inputs["fault"] for _, inputs, _ in ask.asked] == ["", fault]
    assert len({output.json_schema["properties"]["ranking"]["maxItems"] for _, _, output in ask.asked}) == 1


async def test_after_a_second_wrong_answer_the_candidates_decide_by_consensus() -> None:
    ask = ScriptedJudges({"best": lambda _: NOT_JSON})

    selection = await selected(Judge(prompt="best"), [*ENDS, ended(3, "Blue")], judge=ask)

    assert len(ask.asked) == 2
    assert (selection.method, selection.winner, selection.agreement) == ("consensus", 2, 0.5)
    assert selection.fallback_reason == (
        "judge 'best': it is not of the form that is asked for, also when it was told so"
    )
    assert (selection.judges, selection.judge_cost_usd) == (("e", "e"), 1.0)


async def test_where_no_two_agree_the_first_of_the_plan_takes_the_place_of_the_judge() -> None:
    selection = await selected(Judge(prompt="best"), [*ENDS, ended(3, "grey", priority=1)])

    assert (selection.method, selection.winner, selection.agreement) == ("first", 3, None)
    assert selection.fallback_reason == "no judge can be asked here"
    assert (selection.judges, selection.judge_cost_usd, selection.seed) == ((), 0.0, None)


@pytest.mark.parametrize(
    ("failed", "judges", "cost_usd"),
    [
        (limited("f"), ("f",), None),
        (limited(None), (), 0.0),
        (
            Judged(failure=Failure(code="rate_limited", message="too many calls"), execution_id="f", cost_usd=0.1),
            ("f",),
            0.1,
        ),
    ],
)
async def test_a_judge_that_fails_is_not_asked_again_and_its_cost_is_kept(
    failed: Any, judges: tuple[str, ...], cost_usd: float | None
) -> None:
    ask = ScriptedJudges({"best": lambda _: failed})

    selection = await selected(Judge(prompt="best"), ENDS, judge=ask)

    assert len(ask.asked) == 1
    assert (selection.method, selection.winner) == ("first", 0)
    assert selection.fallback_reason == "judge 'best': rate_limited: too many calls"
    assert (selection.judges, selection.judge_cost_usd) == (judges, cost_usd)


async def test_a_second_look_that_fails_loses_nothing_of_the_first() -> None:
    failures = iter([None, limited("f")])
    ask = ScriptedJudges({"best": lambda inputs: next(failures) or preferring(["blue", "red", "green"])(inputs)})

    selection = await selected(Judge(prompt="best", reverse=True), ENDS, judge=ask)

    assert (selection.method, selection.winner) == ("first", 0)
    assert (selection.judges, selection.judge_cost_usd) == (("x1", "f"), None)
    assert selection.seed == 7


async def test_several_judges_vote_by_the_ranks_that_they_give() -> None:
    ask = ScriptedJudges(
        {
            "a": preferring(["red", "blue", "green"]),
            "b": preferring(["blue", "red", "green"]),
            "c": preferring(["blue", "green", "red"]),
        }
    )

    selection = await selected(Vote(judges=("a", "b", "c")), ENDS, judge=ask)

    assert (selection.method, selection.winner, selection.seed) == ("vote", 2, 7)
    assert [(ranked.index, ranked.score) for ranked in selection.ranking] == [(2, 5), (0, 3), (1, 1)]
    assert selection.reason == "5 of 6 points from 3 judges"
    assert selection.agreement == pytest.approx(2 / 3)
    assert [line.partition(" on ")[0] for line in selection.ranking[0].rationale.split("\n")] == ["a", "b", "c"]
    assert len(selection.judges) == 3


async def test_each_judge_sees_the_candidates_in_an_order_of_its_own() -> None:
    ends = [ended(index, f"text {index}") for index in range(8)]
    ask = ScriptedJudges({"a": by_label, "b": by_label})

    await selected(Vote(judges=("a", "a", "b")), ends, judge=ask)

    assert len({tuple(texts_by_label(inputs).values()) for _, inputs, _ in ask.asked}) == 3


async def test_votes_for_as_much_go_to_the_first_of_the_plan() -> None:
    ask = ScriptedJudges({"a": preferring(["blue", "green", "red"]), "b": preferring(["green", "blue", "red"])})

    assert (await selected(Vote(judges=("a", "b")), ENDS, judge=ask)).winner == 1


async def test_a_judge_that_fails_is_left_out_of_a_vote() -> None:
    ask = ScriptedJudges({"a": lambda _: limited("f"), "b": preferring(["green", "blue", "red"])})

    selection = await selected(Vote(judges=("a", "b")), ENDS, judge=ask)

    assert (selection.method, selection.winner, selection.fallback_reason) == ("vote", 1, "")
    assert selection.reason == "2 of 2 points from 1 judges, without judge 'a': rate_limited: too many calls"
    assert (selection.judges, selection.judge_cost_usd) == (("f", "x2"), None)
    assert selection.agreement == 1.0


async def test_a_vote_without_an_answer_falls_back() -> None:
    ask = ScriptedJudges({"a": lambda _: limited("f"), "b": lambda _: PromptNotFound("there is no prompt 'b'")})

    selection = await selected(Vote(judges=("a", "b")), ENDS, judge=ask)

    assert (selection.method, selection.winner) == ("first", 0)
    assert selection.fallback_reason == (
        "judge 'a': rate_limited: too many calls; judge 'b': prompt_not_found: there is no prompt 'b'"
    )


@pytest.mark.parametrize(
    "method", [First(), Judge(prompt="a"), Judge(prompt="a", reverse=True), Vote(judges=("a", "a", "a"))]
)
async def test_no_more_judges_are_asked_than_a_plan_counts_with(method: Any) -> None:
    ask = ScriptedJudges({"a": lambda _: NOT_JSON})

    await selected(method, ENDS, judge=ask)

    assert len(ask.asked) == most_asks(method)


@pytest.mark.parametrize("method", [Judge(prompt="a"), Judge(prompt="a", reverse=True), Vote(judges=("a", "b"))])
async def test_to_cancel_a_selection_cancels_its_judges_and_waits_for_them(method: Judge | Vote) -> None:
    begun, ended_ = asyncio.Queue[str](), asyncio.Queue[str]()
    looks = most_asks(method) // 2

    async def ask(prompt: str, *_: object) -> Judged:
        begun.put_nowait(prompt)
        try:
            return await asyncio.Future()
        finally:
            ended_.put_nowait(prompt)

    selecting = asyncio.create_task(select(method, ENDS, task=TASK, seed=1, judge=ask))
    for _ in range(looks):
        await begun.get()
    selecting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await selecting
    assert ended_.qsize() == looks


async def test_a_judge_that_is_cancelled_cancels_the_selection() -> None:
    ask = ScriptedJudges({"a": lambda _: asyncio.CancelledError()})

    with pytest.raises(asyncio.CancelledError):
        await selected(Judge(prompt="a"), ENDS, judge=ask)
