"""Rates: what a model's tokens cost."""

from __future__ import annotations

from cuewire.model.values import Value


class Tier(Value, frozen=True):
    """Rates in USD per token that hold for requests with more than `above` input tokens.

    `output` is None where only input has a price, as with embeddings. `cache_write` is the price of input that is also
    written to the provider's cache, `cache_write_1h` of what is kept there for an hour; None is the next simpler price.
    """

    above: int
    input: float
    output: float | None
    cached: float
    cache_write: float | None = None
    cache_write_1h: float | None = None


class Rates(Value, frozen=True):
    """Tiers in rising order, the first from 0; `source` names where and when the rates were read."""

    tiers: tuple[Tier, ...]
    source: str
