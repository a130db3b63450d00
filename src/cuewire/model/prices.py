"""Rates: what a model's tokens cost."""

from __future__ import annotations

from cuewire.model.values import Value


class Tier(Value, frozen=True):
    """Rates in USD per token that hold for requests with more than `above` input tokens.

    `output` is None where only input has a price, as with embeddings.
    """

    above: int
    input: float
    output: float | None
    cached: float


class Rates(Value, frozen=True):
    """Tiers in rising order, the first from 0; `source` names where and when the rates were read."""

    tiers: tuple[Tier, ...]
    source: str
