"""How an execution came to its answer, line by line: its candidates, which was selected and why, and its calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from cuewire.cli.text import UNKNOWN, aligned, count, milliseconds, one_line, usd
from cuewire.model.candidates import CandidateEnd, Selection, Work
from cuewire.model.executions import CallRecord
from cuewire.model.results import Result

WIDTH = 60
"""Columns of a bar."""
_MARKS = {"ok": "█", "failed": "▒", "timed_out": "▒", "cancelled": "░"}


def chosen(result: Result) -> Iterator[str]:
    """Yield the line that says how the answer was chosen, if it was."""
    selection = result.selection
    if selection is None or not result.candidates:
        return
    valid = sum(end.status == "valid" for end in result.candidates)
    if selection.method == "consensus" and selection.agreement is not None:
        said = f"{round(selection.agreement * valid)} of {valid} agree"
    else:
        said = f"candidate {selection.winner} of {len(result.candidates)} by {selection.method}"
    if result.cost_usd is not None and selection.judge_cost_usd is not None:
        said += f"; {usd(result.cost_usd + selection.judge_cost_usd)}"
    yield said


def answer_lines(result: Result) -> Iterator[str]:
    """Yield what each candidate said, with its figures, the one that was selected with a star."""
    winner = result.selection.winner if result.selection else None
    rows = [["", "model", "status", "tokens", "cost", "time", "answer"]]
    rows += [
        [
            "*" if end.index == winner else "",
            end.model,
            end.status,
            count(end.usage.total_tokens),
            usd(end.cost_usd),
            milliseconds(end.duration_ms),
            one_line(end.text, width=WIDTH) if end.text is not None else end.error_code or UNKNOWN,
        ]
        for end in result.candidates
    ]
    yield from aligned(rows).split("\n")


def work_lines(work: Work) -> Iterator[str]:
    """Yield the candidates, the one that was selected with a star, and the selection."""
    winner = work.selection.winner if work.selection else None
    ranks = {ranked.index: ranked for ranked in work.selection.ranking} if work.selection else {}
    titles = ["", "candidate", "group", "model", "status", "rank", "score", "tokens", "cost", "time", "why"]
    rows = [titles]
    for end in sorted(work.candidates, key=lambda end: end.index):
        ranked = ranks.get(end.index)
        rows.append(
            [
                "*" if end.index == winner else "",
                str(end.index),
                str(end.group),
                end.model,
                end.status,
                str(ranked.rank) if ranked else UNKNOWN,
                f"{ranked.score:g}" if ranked and ranked.score is not None else UNKNOWN,
                count(end.usage.total_tokens),
                usd(end.cost_usd),
                milliseconds(end.duration_ms),
                end.error_code or end.reason,
            ]
        )
    yield from ("", "candidates", *(f"  {line}" for line in aligned(rows).split("\n")))
    if work.selection:
        yield from ("", *_selection(work.selection))


def call_lines(calls: Sequence[CallRecord], work: Work | None) -> Iterator[str]:
    """Yield the calls, and below a bar for each from its beginning to its end, with the wait before it.

    Of executions that were recorded before calls told when they began, the bars of a candidate follow each other, and
    a group begins where the one before it ends.
    """
    rows = [["call", "candidate", "cause", "model", "status", "wait", "time", "cost"]]
    rows += [
        [
            str(call.number),
            str(call.candidate),
            call.purpose,
            call.model,
            f"{call.status}, {call.error_code}" if call.error_code else call.status,
            milliseconds(call.delay_ms) if call.delay_ms else UNKNOWN,
            milliseconds(call.duration_ms),
            usd(call.cost_usd),
        ]
        for call in calls
    ]
    yield from ("", "calls", *(f"  {line}" for line in aligned(rows).split("\n")))
    begins = _begins(calls, work.candidates if work else ())
    end = max(begins[call.number] + call.duration_ms for call in calls)
    yield from ("", f"timeline  0 to {milliseconds(end)}")
    yield from (f"  {call.number:>4}  {_bar(call, begins[call.number], end)}" for call in calls)


def _selection(selection: Selection) -> Iterator[str]:
    who = "nothing" if selection.winner is None else f"candidate {selection.winner}"
    yield f"selected  {who} by {selection.method}: {selection.reason}"
    if selection.agreement is not None:
        yield f"agreement {selection.agreement * 100:.0f} %"
    if selection.fallback_reason:
        yield f"fallback  {selection.fallback_reason}"
    for judge in selection.judges:
        yield f"judge     {judge}"
    if selection.judges:
        yield f"judging   {usd(selection.judge_cost_usd)}"
    for ranked in selection.ranking:
        if ranked.rationale:
            yield f"          {ranked.index}: {ranked.rationale}"


def _begins(calls: Sequence[CallRecord], ends: Sequence[CandidateEnd]) -> Mapping[int, float]:
    """Return when each call began, in milliseconds after the execution did, or where that is not known after the first
    call could.
    """
    group_of = {end.index: end.group for end in ends}
    begins: dict[int, float] = {}
    opened = 0.0
    in_groups = sorted(calls, key=lambda call: (group_of.get(call.candidate, 0), call.candidate, call.number))
    for _, of_group in groupby(in_groups, key=lambda call: group_of.get(call.candidate, 0)):
        closed = opened
        for _, of_candidate in groupby(of_group, key=lambda call: call.candidate):
            at = opened
            for call in of_candidate:
                begins[call.number] = at + call.delay_ms if call.started_ms is None else call.started_ms
                at = begins[call.number] + call.duration_ms
            closed = max(closed, at)
        opened = closed
    return begins


def _bar(call: CallRecord, begin: float, end: float) -> str:
    scale = WIDTH / end if end else 0.0
    first = min(round(begin * scale), WIDTH - 1)
    last = max(round((begin + call.duration_ms) * scale), first + 1)
    wait = min(round(call.delay_ms * scale), first)
    return " " * (first - wait) + "·" * wait + _MARKS[call.status] * (last - first)
