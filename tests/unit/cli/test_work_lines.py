"""How an execution came to its answer, as lines."""

from __future__ import annotations

from typing import Any

import pytest

from cuewire.cli.work_lines import WIDTH, call_lines, chosen, work_lines
from cuewire.model.candidates import CandidateEnd, Ranked, Selection, Work
from cuewire.model.executions import CallRecord
from cuewire.model.plans import Plan
from cuewire.model.results import Result
from cuewire.model.usage import Usage


def end(index: int, **more: Any) -> CandidateEnd:
    known: dict[str, Any] = {"group": 0, "priority": 0, "model": "a/b", "status": "valid", "reason": "bound"}
    return CandidateEnd(index=index, place=index, **known | more)


def call(number: int, duration_ms: float, **more: Any) -> CallRecord:
    known: dict[str, Any] = {"purpose": "first", "model": "a/b", "status": "ok", "usage": Usage(), "cost_usd": 0.0}
    return CallRecord(number=number, duration_ms=duration_ms, **known | more)


def result(selection: Selection | None, *ends: CandidateEnd, cost_usd: float | None = 0.001) -> Result:
    return Result(
        id="",
        value="",
        text="",
        prompt="a",
        version=1,
        model="a/b",
        finish_reason="stop",
        usage=Usage(),
        cost_usd=cost_usd,
        cost_basis="",
        duration_ms=1.0,
        first_token_ms=None,
        candidates=ends,
        selection=selection,
    )


ENDS = (end(0), end(1), end(2, status="failed", error_code="rate_limited"))


@pytest.mark.parametrize(
    ("made", "lines"),
    [
        (result(None), []),
        (result(Selection(method="consensus", winner=0, reason="", agreement=0.5), *ENDS), ["1 of 2 agree; $0.001"]),
        (
            result(Selection(method="judge", winner=1, reason="", judge_cost_usd=0.002), *ENDS),
            ["candidate 1 of 3 by judge; $0.003"],
        ),
        (result(Selection(method="first", winner=0, reason=""), *ENDS, cost_usd=None), ["candidate 0 of 3 by first"]),
    ],
)
def test_a_run_tells_how_its_answer_was_chosen_and_what_that_cost(made: Result, lines: list[str]) -> None:
    assert [*chosen(made)] == lines


def test_the_winner_has_a_star_and_what_failed_its_reason() -> None:
    selection = Selection(
        method="judge",
        winner=1,
        reason="ranked first",
        agreement=0.5,
        fallback_reason="the judge timed out",
        judges=("0190",),
        ranking=(Ranked(index=1, rank=1, score=9.0, rationale="it is short"), Ranked(index=0, rank=2)),
    )

    lines = [*work_lines(Work(plan=Plan(groups=(), max_calls=1), candidates=ENDS, selection=selection))]

    assert [line.split() for line in lines[2:6]] == [
        ["candidate", "group", "model", "status", "rank", "score", "tokens", "cost", "time", "why"],
        ["0", "0", "a/b", "valid", "2", "-", "-", "$0.00", "-", "bound"],
        ["*", "1", "0", "a/b", "valid", "1", "9", "-", "$0.00", "-", "bound"],
        ["2", "0", "a/b", "failed", "-", "-", "-", "$0.00", "-", "rate_limited"],
    ]
    assert lines[7:] == [
        "selected  candidate 1 by judge: ranked first",
        "agreement 50 %",
        "fallback  the judge timed out",
        "judge     0190",
        "judging   $0.00",
        "          1: it is short",
    ]


def test_without_a_selection_there_are_the_candidates_alone() -> None:
    lines = [*work_lines(Work(plan=Plan(groups=(), max_calls=1), candidates=ENDS))]

    assert len(lines) == 2 + 1 + len(ENDS)


def bars(*calls: CallRecord, ends: tuple[CandidateEnd, ...] = ()) -> list[str]:
    work = Work(plan=Plan(groups=(), max_calls=9), candidates=ends)
    lines = [*call_lines(calls, work)]
    return [line[8:] for line in lines[-len(calls) :]]


def test_what_ran_side_by_side_stands_so_and_a_later_group_behind() -> None:
    ends = (end(0), end(1), end(2, group=1))

    drawn = bars(call(1, 30), call(2, 15, candidate=1), call(3, 30, candidate=2), ends=ends)

    assert drawn == ["█" * 30, "█" * 15, " " * 30 + "█" * 30]


def test_calls_of_a_candidate_follow_each_other_after_their_waits() -> None:
    drawn = bars(call(1, 10, status="failed", error_code="x"), call(2, 20, purpose="retry", delay_ms=30))

    assert drawn == ["▒" * 10, " " * 10 + "·" * 30 + "█" * 20]


def test_calls_stand_where_they_began_if_that_is_known() -> None:
    drawn = bars(call(1, 20, started_ms=0.0), call(2, 10, started_ms=10.0, candidate=1), call(3, 10, started_ms=30.0))

    assert drawn == ["█" * 30, " " * 15 + "█" * 15, " " * 45 + "█" * 15]


def test_a_bar_is_seen_and_within_the_width_however_short_its_call() -> None:
    drawn = bars(call(1, 1_000), call(2, 0.001, purpose="retry"), call(3, 0.0, status="cancelled"))

    assert max(map(len, drawn)) == WIDTH
    assert all(bar.strip() for bar in drawn)
    assert bars(call(1, 0.0), call(2, 0.0)) == ["█", "█"]
