"""Prices from the genai-prices package: its dated table, compiled once per model and day.

The package costs a quarter of a second to import, so it is loaded at the first price that is asked for; its updater,
which would use the network, never runs.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from cuewire.model.prices import Rates, Tier
from cuewire.model.requests import ModelRef

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo

FREE = Rates(tiers=(Tier(above=0, input=0.0, output=0.0, cached=0.0),), source="runs on this machine")
_FREE_PROVIDERS = frozenset({"local", "scripted"})
_ALIASES = {"gemini": "google"}
_MILLION = Decimal(1_000_000)
_MAX_CACHED = 10_000


class GenaiPriceBook:
    """The PriceBook over genai-prices."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str, int, int], Rates | None] = {}

    def rates(self, model: ModelRef, at: datetime) -> Rates | None:
        """Return the rates of that hour: some models cost less at night, and prices begin at dates."""
        if model.provider in _FREE_PROVIDERS:
            return FREE
        key = (model.provider, model.model, at.toordinal(), at.hour)
        if key not in self._compiled:
            if len(self._compiled) >= _MAX_CACHED:
                self._compiled.clear()
            self._compiled[key] = _compile(model, at)
        return self._compiled[key]


def _compile(model: ModelRef, at: datetime) -> Rates | None:
    info = _find(model)
    if info is None:
        return None
    prices: Any = info.get_prices(at)
    if prices.input_mtok is None:
        return None
    cached = prices.cache_read_mtok if prices.cache_read_mtok is not None else prices.input_mtok
    written, written_1h = prices.cache_write_mtok, prices.cache_write_1h_mtok
    parts = (prices.input_mtok, prices.output_mtok, cached, written, written_1h)
    starts = sorted({0, *(tier.start for part in parts for tier in getattr(part, "tiers", ()))})
    tiers = tuple(
        Tier(
            above=start,
            input=_rate(prices.input_mtok, start),
            output=_known(prices.output_mtok, start),
            cached=_rate(cached, start),
            cache_write=_known(written, start),
            cache_write_1h=_known(written_1h, start),
        )
        for start in starts
    )
    return Rates(tiers=tiers, source=f"genai-prices {version('genai-prices')}")


def _find(model: ModelRef) -> ModelInfo | None:
    from genai_prices.data_snapshot import get_snapshot  # 140 ms, needed at the first price only

    provider = _ALIASES.get(model.provider, model.provider)
    try:
        _, info = get_snapshot().find_provider_model(model.model, None, provider, None)
    except LookupError:
        return None
    return info


def _known(price: Any, start: int) -> float | None:
    return None if price is None else _rate(price, start)


def _rate(price: Any, start: int) -> float:
    """Return USD per token of the tier that begins above `start` input tokens."""
    amount = price
    if hasattr(price, "tiers"):
        amount = price.base
        for tier in price.tiers:
            if tier.start <= start and start > 0:
                amount = tier.price
    return float(Decimal(amount) / _MILLION)
