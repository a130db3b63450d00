"""How candidates ended, and which of them was selected: the work of an execution that planned several."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from cuewire.model.plans import Plan
from cuewire.model.usage import Usage
from cuewire.model.values import Value

CandidateStatus: TypeAlias = Literal["valid", "invalid", "failed", "cancelled", "timed_out", "skipped"]
"""Each planned candidate ends in exactly one of these."""


class CandidateEnd(Value, frozen=True):
    """How one planned candidate ended. Only a valid one can be selected.

    `index` is its place in the plan, `place` counts the candidates that ended before it. `model` is the one that
    answered, or was asked last; `reason` says why it was planned, or skipped. `usage` and `cost_usd` are sums over its
    calls, None where one of them is unknown. `duration_ms` is None for one that never began.
    """

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
    usage: Usage = Usage()
    cost_usd: float | None = 0.0
    calls: int = 0


class Ranked(Value, frozen=True):
    """A candidate's place in a ranking, 1 for the best; `score` is on the method's own scale, where it has one."""

    index: int
    rank: int
    score: float | None = None
    rationale: str = ""


class Selection(Value, frozen=True):
    """Which candidate was selected, and why; `winner` is None if none could be.

    `method` is the one that decided, `fallback_reason` says why another one than wanted, empty if it was that. `seed`
    is the one that anything was drawn with. `agreement` is the share of valid candidates that agree with the winner,
    or, for judges, of looks. `judges` are the executions of judges that were asked, `judge_cost_usd` what they cost.
    """

    method: str
    winner: int | None
    reason: str
    ranking: tuple[Ranked, ...] = ()
    agreement: float | None = None
    seed: int | None = None
    fallback_reason: str = ""
    judges: tuple[str, ...] = ()
    judge_cost_usd: float | None = 0.0


class Work(Value, frozen=True):
    """How an execution with several candidates came to its answer; `selection` is None if it did not get so far."""

    plan: Plan
    candidates: tuple[CandidateEnd, ...]
    selection: Selection | None = None
