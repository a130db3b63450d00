"""Orders of valid candidates, the best first, and the selections that need no more than an order.

Every order here begins from the plan's and is stable, so that ties go to the candidate that comes first in the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from cuewire.model.candidates import CandidateEnd, Ranked, Selection

_NOTHING: Mapping[int, Any] = {}


class Figure(NamedTuple):
    """A figure of a candidate, None where it is not known, and whether more of it is better."""

    of: Callable[[CandidateEnd], float | None]
    best: str
    more_is_better: bool = False


def _length(end: CandidateEnd) -> int:
    return len(end.text or "")


def _tokens(end: CandidateEnd) -> int | None:
    """Return input and output together; a candidate of which one is not known must not win by it."""
    usage = end.usage
    return None if usage.input_tokens is None or usage.output_tokens is None else usage.total_tokens


METRICS: Mapping[str, Figure] = {
    "cost": Figure(lambda end: end.cost_usd, "the least cost (USD)"),
    "latency": Figure(lambda end: end.duration_ms, "the least time (ms)"),
    "shortest": Figure(_length, "the shortest answer (characters)"),
    "longest": Figure(_length, "the longest answer (characters)", more_is_better=True),
    "fewest_tokens": Figure(_tokens, "the fewest tokens"),
}


def in_plan_order(ends: Iterable[CandidateEnd]) -> list[CandidateEnd]:
    """Return candidates by group, then the highest priority, then their place in the plan."""
    return sorted(ends, key=lambda end: (end.group, -end.priority, end.index))


def shuffled(ends: Iterable[CandidateEnd], *, seed: int, use: str) -> list[CandidateEnd]:
    """Return candidates in an order that the seed draws: the same on every machine, another one for each use."""
    return sorted(ends, key=lambda end: drawn(f"{seed}/{use}/{end.index}"))


def drawn(text: str) -> str:
    """Return 64 hexadecimal digits that nobody can tell from chance without the text."""
    return sha256(text.encode()).hexdigest()


def ranked(
    order: Iterable[CandidateEnd],
    *,
    scores: Mapping[int, float | None] = _NOTHING,
    rationales: Mapping[int, str] = _NOTHING,
) -> tuple[Ranked, ...]:
    """Return the ranking that an order is; scores and rationales are by the candidates' index."""
    return tuple(
        Ranked(
            index=end.index,
            rank=rank,
            score=scores.get(end.index),
            rationale=rationales.get(end.index, ""),
        )
        for rank, end in enumerate(order, start=1)
    )


def by_plan(valid: Sequence[CandidateEnd]) -> Selection:
    """Select the candidate that comes first in the plan."""
    best = valid[0]
    reason = f"first in the plan of {len(valid)} valid: group {best.group}, priority {best.priority}"
    return Selection(method="first", winner=best.index, reason=reason, ranking=ranked(valid))


def by_place(valid: Sequence[CandidateEnd]) -> Selection:
    """Select the candidate that was there first."""
    order = sorted(valid, key=lambda end: end.place)
    reason = f"there first of {len(valid)} valid"
    return Selection(method="fastest", winner=order[0].index, reason=reason, ranking=ranked(order))


def by_seed(valid: Sequence[CandidateEnd], *, seed: int) -> Selection:
    """Select any candidate, each as likely as the others."""
    order = shuffled(valid, seed=seed, use="random")
    reason = f"drawn from {len(valid)} valid"
    return Selection(method="random", winner=order[0].index, reason=reason, ranking=ranked(order), seed=seed)


def by_metric(valid: Sequence[CandidateEnd], *, metric: str) -> Selection:
    """Select the candidate with the best figure, which is its score; those of which it is not known come last."""
    figure = METRICS[metric]
    scores = {end.index: figure.of(end) for end in valid}

    def key(end: CandidateEnd) -> tuple[bool, float]:
        score = scores[end.index]
        return score is None, (-1 if figure.more_is_better else 1) * (score or 0)

    order = sorted(valid, key=key)
    best = scores[order[0].index]
    found = "not known of any" if best is None else f"{best:.12g}"
    return Selection(
        method="metric",
        winner=order[0].index,
        reason=f"{figure.best} of {len(valid)} valid: {found}",
        ranking=ranked(order, scores=scores),
    )
