"""Selection by judges: other prompts that rank the candidates, each blind to who wrote them.

Each look of a judge gives points to all candidates, as many as it ranks below them (Borda count). One look is then its
own order, two looks of one judge go by mean ranks, and several judges vote. A judge whose answer is no ranking is told
so once. If no ranking comes of it the candidates decide themselves: what most say, else the first of the plan.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import fsum
from typing import Any, NamedTuple, TypeAlias

from msgspec.structs import replace

from cuewire.engine.select.ballots import MAX_REASON, Ballot, Verdict, make_ballot, misshapen, task_text
from cuewire.engine.select.consensus import by_consensus
from cuewire.engine.select.orders import by_plan, ranked
from cuewire.model.candidates import CandidateEnd, Selection
from cuewire.model.errors import CuewireError, OutputError
from cuewire.model.executions import Failure
from cuewire.model.failures import failure_of
from cuewire.model.outputs import JsonOutput
from cuewire.model.policies import Consensus, Judge, SelectionMethod, Vote
from cuewire.model.prompts import Inputs
from cuewire.model.requests import ChatMessage
from cuewire.model.values import Value

ASKS_PER_LOOK = 2
"""A judge is asked, and told once what was wrong with its answer."""


class Judged(Value, frozen=True):
    """How a judge's execution ended: with a value of the output kind, or with a failure.

    `execution_id` is None if none was opened; `cost_usd` is None if it is not known.
    """

    execution_id: str | None
    cost_usd: float | None
    value: Any = None
    failure: Failure | None = None


AskJudge: TypeAlias = Callable[[str, Inputs, JsonOutput], Awaitable[Judged]]
"""Runs the prompt of a name with those inputs that it reads, for this output kind. Costs money.

May raise CuewireError in place of a failure; what an execution cost that it names counts as unknown.
"""


class Look(NamedTuple):
    """One look of a judge at all candidates: its verdicts by index, or what went wrong, and what was asked for it."""

    judge: str
    verdicts: dict[int, Verdict]
    fault: str
    asked: tuple[Judged, ...]


def most_asks(method: SelectionMethod) -> int:
    """Return how many executions of judges a selection can lead to."""
    match method:
        case Judge():
            return ASKS_PER_LOOK * (2 if method.reverse else 1)
        case Vote():
            return ASKS_PER_LOOK * len(method.judges)
    return 0


async def by_judges(
    method: Judge | Vote,
    valid: Sequence[CandidateEnd],
    *,
    task: Sequence[ChatMessage],
    seed: int,
    ask: AskJudge | None,
) -> Selection:
    """Select what the judges rank first; all looks are taken side by side.

    A judge must have answered in each of its looks, a vote needs one judge that did. The agreement is the share of
    looks that rank the winner first: of the two looks of a judge in reverse 1.0, mostly 0.5 where they differ, and 0.0
    where neither named the one with the best mean rank.
    """
    if ask is None:
        return _fallen_back(valid, "no judge can be asked here")
    ballots = _ballots(method, valid, seed)
    text = task_text(task)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(_look(judge, ballot, text, ask)) for judge, ballot in ballots]
    looks = [task.result() for task in running]
    answered = [look for look in looks if not look.fault]
    if len(answered) < (1 if isinstance(method, Vote) else len(looks)):
        selection = _fallen_back(valid, _faults(looks))
    elif isinstance(method, Vote):
        selection = _voted(valid, looks, answered)
    else:
        selection = _judged(method.prompt, valid, answered)
    asked = [judged for look in looks for judged in look.asked]
    return replace(
        selection,
        seed=seed,
        judges=tuple(judged.execution_id for judged in asked if judged.execution_id is not None),
        judge_cost_usd=_cost(asked),
    )


def _ballots(method: Judge | Vote, valid: Sequence[CandidateEnd], seed: int) -> list[tuple[str, Ballot]]:
    if isinstance(method, Vote):
        return [
            (judge, make_ballot(valid, seed=seed, use=f"vote/{place}")) for place, judge in enumerate(method.judges)
        ]
    ballot = make_ballot(valid, seed=seed, use="judge")
    looks = [ballot, replace(ballot, ends=ballot.ends[::-1])] if method.reverse else [ballot]
    return [(method.prompt, look) for look in looks]


async def _look(judge: str, ballot: Ballot, task: str, ask: AskJudge) -> Look:
    asked: list[Judged] = []
    fault = ""
    while len(asked) < ASKS_PER_LOOK:
        judged = await _end_of(ask, judge, ballot.inputs(task, fault=fault), ballot.output)
        asked.append(judged)
        failure = judged.failure
        if failure is not None and failure.code != OutputError.code:
            return Look(judge, {}, f"{failure.code}: {failure.message}"[:MAX_REASON], tuple(asked))
        try:
            if failure is not None:
                raise misshapen(failure.field)
            return Look(judge, ballot.read(judged.value), "", tuple(asked))
        except OutputError as error:
            fault = error.message
    return Look(judge, {}, f"{fault}, also when it was told so", tuple(asked))


async def _end_of(ask: AskJudge, judge: str, inputs: Inputs, output: JsonOutput) -> Judged:
    try:
        return await ask(judge, inputs, output)
    except CuewireError as error:
        _, failure = failure_of(error)
        cost_usd = 0.0 if error.execution_id is None else None
        return Judged(failure=failure, execution_id=error.execution_id, cost_usd=cost_usd)


def _judged(judge: str, valid: Sequence[CandidateEnd], looks: Sequence[Look]) -> Selection:
    scores = {end.index: fsum(look.verdicts[end.index].score for look in looks) / len(looks) for end in valid}
    selection = _counted("judge", valid, looks, scores)
    reason = f"judge {judge!r} ranks it first of {len(valid)} valid"
    if len(looks) == 1:
        return replace(selection, reason=reason, agreement=None)
    said = "in both its looks" if selection.agreement == 1 else "by the mean of its two looks, which differ"
    return replace(selection, reason=f"{reason}, {said}")


def _voted(valid: Sequence[CandidateEnd], looks: Sequence[Look], answered: Sequence[Look]) -> Selection:
    points = _points(valid, answered)
    selection = _counted("vote", valid, answered, points)
    reason = f"{max(points.values())} of {len(answered) * (len(valid) - 1)} points from {len(answered)} judges"
    faults = _faults(looks)
    return replace(selection, reason=f"{reason}, without {faults}" if faults else reason)


def _counted(
    method: str, valid: Sequence[CandidateEnd], looks: Sequence[Look], scores: Mapping[int, float]
) -> Selection:
    points = _points(valid, looks)
    order = sorted(valid, key=lambda end: -points[end.index])
    winner = order[0].index
    rationales = {
        end.index: "\n".join(f"{look.judge} on {look.verdicts[end.index].rationale}" for look in looks) for end in valid
    }
    return Selection(
        method=method,
        winner=winner,
        reason="",
        ranking=ranked(order, scores=scores, rationales=rationales),
        agreement=sum(look.verdicts[winner].rank == 1 for look in looks) / len(looks),
    )


def _points(valid: Sequence[CandidateEnd], looks: Sequence[Look]) -> dict[int, int]:
    return {end.index: sum(len(valid) - look.verdicts[end.index].rank for look in looks) for end in valid}


def _faults(looks: Sequence[Look]) -> str:
    return "; ".join(dict.fromkeys(f"judge {look.judge!r}: {look.fault}" for look in looks if look.fault))


def _fallen_back(valid: Sequence[CandidateEnd], why: str) -> Selection:
    selection = by_consensus(valid, quorum=2 / len(valid), tolerance=Consensus().tolerance)
    return replace(by_plan(valid) if selection.winner is None else selection, fallback_reason=why)


def _cost(asked: Sequence[Judged]) -> float | None:
    costs = [judged.cost_usd for judged in asked]
    known = [cost for cost in costs if cost is not None]
    return fsum(known) if len(known) == len(costs) else None
