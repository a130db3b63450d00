"""From a plan to the one answer that counts: the only candidate's, or that of the one which is selected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from cuewire.engine.candidate import CandidateTrip, Means, Task
from cuewire.engine.groups import Ends, run_groups
from cuewire.engine.judging import Judging
from cuewire.engine.select import select
from cuewire.model.candidates import CandidateEnd, Selection, Work
from cuewire.model.errors import CuewireError, NothingSelected, OutputError
from cuewire.model.executions import Failure
from cuewire.model.failures import failure_of
from cuewire.model.ids import seed_of
from cuewire.model.plans import Plan

_TELLS_WHY = {"invalid": 0, "failed": 1, "timed_out": 1}
"""How candidates end that have an error to tell, those first that have an answer too."""


async def answer(plan: Plan, task: Task, means: Means, judging: Judging) -> tuple[Any, bool]:
    """Return the value of the answer that counts, and whether it is of the form that was asked for.

    Raises why there is no answer.
    """
    if (only := plan.only) is not None:
        trip = CandidateTrip(only, task, means)
        await trip.run(())
        return _taken(trip, task)
    unheard = replace(task, listener=None)  # nobody knows yet whose text it will be
    trips = {candidate.index: CandidateTrip(candidate, unheard, means) for candidate in plan.candidates}
    chooser = _Chooser(task, judging)
    ends = Ends(plan, lambda candidate: trips[candidate.index])
    try:
        await run_groups(plan, task.policy, ends, score=chooser.score)
        selection = await chooser.select(ends.all)
    finally:
        task.record.worked(Work(plan=plan, candidates=ends.all, selection=chooser.selection))
    if selection.winner is None:
        return _second_best(trips, ends.all, selection, task)
    winner = trips[selection.winner]
    value, is_valid = _taken(winner, task)
    if task.listener is not None and winner.answer is not None:
        await task.listener(winner.answer.text)
    return value, is_valid


class _Chooser:
    """Selects among the candidates that have ended; asks no judge twice about the same ones."""

    def __init__(self, task: Task, judging: Judging) -> None:
        opening = task.record.opening
        self.selection: Selection | None = None
        self._task = task
        self._seed = seed_of(opening.id)
        self._judge = judging.of(opening, task.calls)
        self._seen: tuple[int, ...] = ()

    async def select(self, ends: Sequence[CandidateEnd], *, scored: bool = False) -> Selection:
        valid = tuple(sorted(end.index for end in ends if end.status == "valid"))
        if self.selection is None or valid != self._seen:
            method, judge = self._task.policy.selection, self._judge
            found = await select(method, ends, task=self._task.messages, seed=self._seed, judge=judge, scored=scored)
            self.selection = _with_looks_of(self.selection, found)
            self._seen = valid
        return self.selection

    async def score(self, ends: Sequence[CandidateEnd]) -> float | None:
        selection = await self.select(ends, scored=True)
        return max((ranked.score for ranked in selection.ranking if ranked.score is not None), default=None)


def _with_looks_of(before: Selection | None, selection: Selection) -> Selection:
    """Return the selection with the judges, and what they cost, of the one that it takes the place of."""
    if before is None:
        return selection
    costs = before.judge_cost_usd, selection.judge_cost_usd
    return replace(
        selection,
        judges=before.judges + selection.judges,
        judge_cost_usd=None if costs[0] is None or costs[1] is None else costs[0] + costs[1],
    )


def _taken(trip: CandidateTrip, task: Task) -> tuple[Any, bool]:
    """Return the value of a candidate, which the record learns of. Raises why there is none."""
    trip.tell(task.record)
    error = trip.error
    if error is None:
        return trip.value, True
    if isinstance(error, OutputError) and task.policy.validation != "strict":
        _, failure = failure_of(error)
        task.record.let_pass(failure if task.policy.validation == "warn" else Failure(code=failure.code, message=""))
        return error.text, False
    raise error


def _second_best(
    trips: dict[int, CandidateTrip], ends: Sequence[CandidateEnd], selection: Selection, task: Task
) -> tuple[Any, bool]:
    """Return what there is where none could be selected. Raises why there is none."""
    if any(end.status == "valid" for end in ends):
        raise NothingSelected(selection.reason, hint="ask for more candidates, or for a smaller quorum")
    first = min(ends, key=lambda end: (_TELLS_WHY.get(end.status, 2), end.index))
    try:
        return _taken(trips[first.index], task)
    except CuewireError as error:
        error.message = f"none of {len(ends)} candidates is valid; candidate {first.index}: {error.message}"
        raise
