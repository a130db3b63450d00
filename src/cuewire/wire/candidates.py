"""Candidates as JSON: what was planned, how each ended, and which was selected."""

from __future__ import annotations

from typing import Any

from cuewire.model.candidates import CandidateEnd, CandidateStatus, Selection, Work
from cuewire.model.plans import Candidate, Group, Plan
from cuewire.model.requests import parse_model
from cuewire.wire.shapes import Shape, read, shown
from cuewire.wire.usage import UsageShape


class PlannedShape(Shape, frozen=True):
    """A candidate that will be asked for, and why; `fallbacks` are the models to go to when its own has failed."""

    index: int
    group: int
    priority: int
    model: str
    parameters: dict[str, Any]
    reason: str
    fallbacks: tuple[str, ...] = ()


class PlanShape(Shape, frozen=True):
    """What a run may lead to. `max_calls` bounds its calls, those of judges included; equal plans have equal hashes.

    `max_usd` is the most that it can cost, null where that is not known.
    """

    hash: str
    max_calls: int
    candidates: tuple[PlannedShape, ...]
    notes: tuple[str, ...] = ()
    max_usd: float | None = None

    @classmethod
    def of(cls, plan: Plan) -> PlanShape:
        """Return the plan as JSON."""
        return cls(
            hash=plan.hash,
            max_calls=plan.max_calls,
            candidates=tuple(_planned(candidate) for candidate in plan.candidates),
            notes=plan.notes,
            max_usd=plan.max_usd,
        )

    def plan(self) -> Plan:
        """Return the plan that the JSON says."""
        candidates = [_candidate(planned) for planned in self.candidates]
        groups = tuple(
            Group(candidates=tuple(each for each in candidates if each.group == number))
            for number in sorted({each.group for each in candidates})
        )
        return Plan(groups=groups, max_calls=self.max_calls, notes=self.notes, max_usd=self.max_usd)


class CandidateShape(Shape, frozen=True):
    """How one candidate ended; only a valid one can be selected. Null is unknown."""

    index: int
    group: int
    priority: int
    model: str
    status: CandidateStatus
    reason: str
    place: int
    parameters: dict[str, Any] = {}
    text: str | None = None
    value: Any = None
    finish_reason: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    duration_ms: float | None = None
    usage: UsageShape = UsageShape()
    cost_usd: float | None = 0.0
    calls: int = 0


class RankedShape(Shape, frozen=True):
    """A candidate's place in a ranking, 1 for the best."""

    index: int
    rank: int
    score: float | None = None
    rationale: str = ""


class SelectionShape(Shape, frozen=True):
    """Which candidate was selected, and why; `winner` is its index, null if none could be.

    `judges` are the ids of the executions of judges.
    """

    method: str
    winner: int | None
    reason: str
    ranking: tuple[RankedShape, ...] = ()
    agreement: float | None = None
    seed: int | None = None
    fallback_reason: str = ""
    judges: tuple[str, ...] = ()
    judge_cost_usd: float | None = 0.0


class WorkShape(Shape, frozen=True):
    """How an execution with several candidates came to its answer."""

    plan: PlanShape
    candidates: tuple[CandidateShape, ...]
    selection: SelectionShape | None = None

    @classmethod
    def of(cls, work: Work) -> WorkShape:
        """Return it as JSON."""
        return cls(
            plan=PlanShape.of(work.plan),
            candidates=tuple(shown(end, CandidateShape) for end in work.candidates),
            selection=None if work.selection is None else shown(work.selection, SelectionShape),
        )

    def work(self) -> Work:
        """Return what the JSON says."""
        return Work(
            plan=self.plan.plan(),
            candidates=tuple(read(end, CandidateEnd) for end in self.candidates),
            selection=None if self.selection is None else read(self.selection, Selection),
        )


def _planned(candidate: Candidate) -> PlannedShape:
    return PlannedShape(
        index=candidate.index,
        group=candidate.group,
        priority=candidate.priority,
        model=str(candidate.model),
        parameters=candidate.parameters,
        reason=candidate.reason,
        fallbacks=tuple(map(str, candidate.fallbacks)),
    )


def _candidate(planned: PlannedShape) -> Candidate:
    return Candidate(
        index=planned.index,
        group=planned.group,
        priority=planned.priority,
        model=parse_model(planned.model),
        parameters=planned.parameters,
        reason=planned.reason,
        fallbacks=tuple(map(parse_model, planned.fallbacks)),
    )
