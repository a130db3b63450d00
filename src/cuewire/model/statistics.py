"""Statistics of small comparisons, with `math` alone."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, exp, lgamma, log, log1p, sqrt

from cuewire.model.values import Value

Z_95 = 1.959963984540054
BURN_IN = 100
"""Units per side below which no winner is called."""


class Interval(Value, frozen=True):
    """An estimate with its 95 % interval."""

    estimate: float
    low: float
    high: float


def wilson(successes: int, trials: int) -> Interval:
    """Interval of a proportion (Wilson, "Probable inference", JASA 22, 1927); trials must be positive."""
    share = successes / trials
    z2 = Z_95 * Z_95
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    reach = Z_95 / (1 + z2 / trials) * sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    return Interval(estimate=share, low=max(0.0, centre - reach), high=min(1.0, centre + reach))


def upper_bound(events: int, trials: int) -> float:
    """The proportion that is not exceeded with 95 % confidence; 1 without trials.

    The exact one-sided bound (Clopper and Pearson, "The use of confidence or fiducial limits", Biometrika 26, 1934):
    the proportion at which so few events have a chance of 5 %.
    """
    low, high = events / trials if trials else 1.0, 1.0
    if events >= trials:
        return 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(events, trials, middle) > 0.05 else (low, middle)
    return high


def _at_most(events: int, trials: int, share: float) -> float:
    """The chance of at most so many events, by the binomial distribution; the share is within (0, 1)."""
    rest = lgamma(trials + 1)
    return sum(
        exp(rest - lgamma(k + 1) - lgamma(trials - k + 1) + k * log(share) + (trials - k) * log1p(-share))
        for k in range(events + 1)
    )


def paired_difference(before: Sequence[bool], after: Sequence[bool]) -> Interval:
    """Interval of the change in proportion on the same units, in order.

    Method 10 of Newcombe, "Improved confidence intervals for the difference between binomial proportions based on
    paired data", Statistics in Medicine 17, 1998: Wilson limits combined with the pairs' correlation.
    """
    n = len(before)
    if n == 0 or n != len(after):
        raise ValueError("both sides need the same units, at least one")
    both = sum(b and a for b, a in zip(before, after, strict=True))
    neither = sum(not b and not a for b, a in zip(before, after, strict=True))
    gained = sum(a and not b for b, a in zip(before, after, strict=True))
    lost = n - both - neither - gained
    first, second = wilson(both + lost, n), wilson(both + gained, n)
    margins = (both + lost) * (gained + neither) * (both + gained) * (lost + neither)
    phi = 0.0
    if margins:
        product = float(both * neither - lost * gained)
        if product > 0:
            product = max(product - n / 2, 0.0)
        phi = product / sqrt(margins)
    difference = second.estimate - first.estimate
    d_low = second.estimate - second.low
    u_high = first.high - first.estimate
    u_low = second.high - second.estimate
    d_high = first.estimate - first.low
    below = sqrt(max(0.0, d_low**2 - 2 * phi * d_low * u_high + u_high**2))
    above = sqrt(max(0.0, u_low**2 - 2 * phi * u_low * d_high + d_high**2))
    return Interval(estimate=difference, low=max(-1.0, difference - below), high=min(1.0, difference + above))


def percentile(values: Sequence[float], share: float) -> float:
    """Percentile by linear interpolation between closest ranks, as PERCENTILE_CONT does; values must not be empty."""
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    lower = int(position)
    upper = min(ceil(position), len(ordered) - 1)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (position - lower)
