"""What a table holds: sides to run in turn, and claims that set one side's figure beside another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TypeAlias

from bench.kit.sides import Broken, Measured, Side
from bench.kit.stub import AT_ONCE, Stub

HIGHER_IS_BETTER = ("per_cpu_s", "per_s")


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours over another side in the same round, larger is better; `goal` None means for information only."""

    ours: str
    other: str
    figure: str
    goal: float | None = None


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A figure of ours that must stay at or below the goal."""

    ours: str
    figure: str
    goal: float


@dataclass(frozen=True, slots=True)
class Floor:
    """A figure of ours that must stay at or above the goal."""

    ours: str
    figure: str
    goal: float


Claim: TypeAlias = Ratio | Ceiling | Floor


@dataclass(frozen=True, slots=True)
class Table:
    """One numbered goal: what is run, what is shown of each side, and what is claimed."""

    key: str
    title: str
    figures: tuple[str, ...]
    sides: tuple[Side, ...]
    claims: tuple[Claim, ...]
    stub: Stub = AT_ONCE
    is_turned: bool = False
    """A side is a column, where there are more figures than sides."""
    most_rounds: int | None = None
    """So many rounds are enough, where the figures are the same each time."""

    def only(self, text: str) -> Table:
        """Give the table with the sides whose name has the text, and what is claimed of these alone."""
        sides = tuple(side for side in self.sides if text in side.name)
        names = {side.name for side in sides}
        claims = (claim for claim in self.claims if {claim.ours, getattr(claim, "other", claim.ours)} <= names)
        return replace(self, sides=sides, claims=tuple(claims))


@dataclass(frozen=True, slots=True)
class Verdict:
    """A claim with what was measured; `is_met` None when nothing was asked or a side did not run."""

    text: str
    value: float | None
    goal: str
    is_met: bool | None


Rounds = Mapping[str, Sequence[Measured | Broken]]


def middle(rounds: Rounds, side: str, figure: str) -> float | None:
    """Give the median of a side's figure over the rounds that ran."""
    runs = [run for run in rounds.get(side, ()) if isinstance(run, Measured)]
    found = [run.figures[figure] for run in runs if figure in run.figures]
    return median(found) if found else None


def judge(claim: Claim, rounds: Rounds) -> Verdict:
    """Judge a claim. A ratio is the median over the rounds, so that a busy round harms both sides alike."""
    if isinstance(claim, Ceiling | Floor):
        value = middle(rounds, claim.ours, claim.figure)
        text = f"{claim.ours}, {claim.figure}"
        if isinstance(claim, Floor):
            return Verdict(text, value, f"at least {claim.goal:g}", None if value is None else value >= claim.goal)
        return Verdict(text, value, f"<= {claim.goal:g}", None if value is None else value <= claim.goal)
    value = _ratio(claim, rounds)
    goal = "" if claim.goal is None else f">= {claim.goal:g}x"
    is_met = None if value is None or claim.goal is None else value >= claim.goal
    return Verdict(f"{claim.ours} against {claim.other}, {claim.figure}", value, goal, is_met)


def _ratio(claim: Ratio, rounds: Rounds) -> float | None:
    pairs = zip(rounds.get(claim.ours, ()), rounds.get(claim.other, ()), strict=False)
    ratios = []
    for ours, other in pairs:
        if isinstance(ours, Measured) and isinstance(other, Measured):
            a, b = ours.figures[claim.figure], other.figures[claim.figure]
            ratios.append(a / b if claim.figure in HIGHER_IS_BETTER else b / a)
    return median(ratios) if ratios else None
