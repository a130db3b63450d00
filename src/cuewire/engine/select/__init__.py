"""The choice of one candidate among the valid ones, and a place for each of the others.

A selection depends on what the candidates are and on the seed alone, never on the order in which they come. Judges are
asked through a function that the caller gives; everything else here is a pure function of values.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from cuewire.engine.select.consensus import by_consensus
from cuewire.engine.select.judges import AskJudge, Judged, by_judges, most_asks
from cuewire.engine.select.orders import by_metric, by_place, by_plan, by_seed, in_plan_order
from cuewire.model.candidates import CandidateEnd, Selection
from cuewire.model.policies import Consensus, Fastest, Judge, Metric, Random, SelectionMethod, Vote
from cuewire.model.requests import ChatMessage

__all__ = ["AskJudge", "Judged", "most_asks", "select"]


async def select(
    method: SelectionMethod,
    ends: Sequence[CandidateEnd],
    *,
    task: Sequence[ChatMessage],
    seed: int,
    judge: AskJudge | None,
    scored: bool = False,
) -> Selection:
    """Select one of the valid candidates; judges are told the task, and cost money.

    None is selected if none is valid, or fewer agree than a quorum asks for. One that is alone wins, and nobody is
    asked, unless it has to be `scored`. Ties go to the candidate that comes first in the plan.
    """
    valid = in_plan_order(end for end in ends if end.status == "valid")
    tag = str(method.__struct_config__.tag)
    if not valid:
        return Selection(method=tag, winner=None, reason=f"none of {len(ends)} candidates is valid")
    if len(valid) == 1 and not scored:
        return replace(_selection(method, valid, seed), method=tag, reason=f"the only valid candidate of {len(ends)}")
    if isinstance(method, Judge | Vote):
        return await by_judges(method, valid, task=task, seed=seed, ask=judge)
    return _selection(method, valid, seed)


def _selection(method: SelectionMethod, valid: Sequence[CandidateEnd], seed: int) -> Selection:
    match method:
        case Fastest():
            return by_place(valid)
        case Random():
            return by_seed(valid, seed=seed)
        case Metric():
            return by_metric(valid, metric=method.metric)
        case Consensus():
            return by_consensus(valid, quorum=method.quorum, tolerance=method.tolerance)
        case _:  # and judges, who are not asked about one alone
            return by_plan(valid)
