"""What the demo found, in numbers and in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from cuewire.cli.text import UNKNOWN, count, percent, points, usd
from cuewire.model.statistics import BURN_IN, Interval, paired_difference, percentile, wilson
from cuewire.model.values import Value

Number = TypeVar("Number", int, float)


class Trial(Value, frozen=True):
    """One version tried on one sentence. `answer` is None when the model's answer was neither of the two words."""

    version: int
    sentence: str
    execution_id: str
    answer: str | None
    text: str
    is_correct: bool
    duration_ms: float
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None


class Score(Value, frozen=True):
    """What one version reached; totals are None if a part of them is unknown."""

    version: int
    idea: str
    trials: int
    correct: int
    wrong_kind: int
    accuracy: Interval
    p50_ms: float
    p95_ms: float
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None


class Comparison(Value, frozen=True):
    """The second version against the first, on the same sentences."""

    difference: Interval
    units: int
    units_needed: int
    is_decided: bool


def score(version: int, idea: str, trials: Sequence[Trial]) -> Score:
    """Sum up the trials of one version."""
    correct = sum(trial.is_correct for trial in trials)
    durations = [trial.duration_ms for trial in trials]
    return Score(
        version=version,
        idea=idea,
        trials=len(trials),
        correct=correct,
        wrong_kind=sum(trial.answer is None for trial in trials),
        accuracy=wilson(correct, len(trials)),
        p50_ms=percentile(durations, 0.50),
        p95_ms=percentile(durations, 0.95),
        input_tokens=_total([trial.input_tokens for trial in trials]),
        output_tokens=_total([trial.output_tokens for trial in trials]),
        cost_usd=_total([trial.cost_usd for trial in trials]),
    )


def compare(before: Sequence[Trial], after: Sequence[Trial]) -> Comparison:
    """Compare two versions sentence by sentence.

    A winner is called only if the 95 % interval excludes 0 and there are enough units; either alone deceives.
    """
    first, second = (sorted(trials, key=lambda trial: trial.sentence) for trials in (before, after))
    difference = paired_difference([t.is_correct for t in first], [t.is_correct for t in second])
    excludes_zero = difference.low > 0 or difference.high < 0
    return Comparison(
        difference=difference,
        units=len(first),
        units_needed=BURN_IN,
        is_decided=excludes_zero and len(first) >= BURN_IN,
    )


HEADINGS = ("version", "correct", "accuracy (95 %)", "wrong kind", "p50 / p95 ms", "tokens in / out", "cost")


def row(score: Score) -> tuple[str, ...]:
    """Return a score as cells under HEADINGS."""
    return (
        f"{score.version} {score.idea}",
        f"{score.correct} of {score.trials}",
        f"{percent(score.accuracy.estimate)} ({score.accuracy.low * 100:.0f}-{score.accuracy.high * 100:.0f})",
        str(score.wrong_kind),
        f"{score.p50_ms:,.0f} / {score.p95_ms:,.0f}",
        f"{count(score.input_tokens)} / {count(score.output_tokens)}",
        usd(score.cost_usd),
    )


def verdict(comparison: Comparison, scores: tuple[Score, Score]) -> tuple[str, str]:
    """Return the difference, and what may be concluded from it, each as a sentence or two."""
    before, after = scores
    found = comparison.difference
    difference = (
        f"Version {after.version} against version {before.version}: {points(found.estimate)} points"
        f" (95 % interval {points(found.low)} to {points(found.high)})."
    )
    better = after if found.estimate > 0 else before
    if comparison.is_decided:
        return difference, f"Version {better.version} is better on sentences like these."
    if comparison.units < comparison.units_needed:
        units = f"{comparison.units} sentences, and a winner is called from {comparison.units_needed} on"
        if found.low > 0 or found.high < 0:
            return difference, (
                f"Too early to tell: {units}. The interval excludes 0, so version {better.version} is ahead on these"
                " sentences; how it does on yours, only yours can show."
            )
        return difference, f"Too early to tell: {units}. The interval holds 0: this may be chance."
    return difference, "No winner: the interval holds 0, so this may be chance."


def notes(scores: Sequence[Score]) -> list[str]:
    """Return what the table's cells do not say by themselves."""
    said = []
    if any(score.wrong_kind for score in scores):
        said.append("Wrong kind: the model said something else than one of the two words; that counts as not correct.")
    if any(score.cost_usd is None for score in scores):
        said.append(f"Cost {UNKNOWN}: a model on this machine has no price.")
    return said


def _total(values: Sequence[Number | None]) -> Number | None:
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known and len(known) == len(values) else None
