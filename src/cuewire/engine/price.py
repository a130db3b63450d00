"""What an answer cost: the provider's own figure if there is one, else usage times rates, else unknown and why."""

from __future__ import annotations

from cuewire.model.embeddings import Embeddings
from cuewire.model.prices import Rates
from cuewire.model.requests import ModelRef
from cuewire.model.results import Answer, Cost, Usage


def price_answer(model: ModelRef, answer: Answer | Embeddings, rates: Rates | None) -> Cost:
    """Price one answer in USD."""
    if answer.cost_usd is not None:
        return Cost(usd=answer.cost_usd, basis="reported by the provider")
    if rates is None:
        return Cost(usd=None, basis=f"no price is known for {model}")
    return _charge(answer.usage, rates)


def _charge(usage: Usage, rates: Rates) -> Cost:
    tier = rates.tiers[0]
    if tier.input == tier.output == 0 and len(rates.tiers) == 1:
        return Cost(usd=0.0, basis=rates.source)
    if usage.input_tokens is None or usage.output_tokens is None:
        return Cost(usd=None, basis="the provider reported no token counts")
    for later in rates.tiers[1:]:
        if usage.input_tokens > later.above:
            tier = later
    cached = min(usage.cached_tokens or 0, usage.input_tokens)
    if tier.output is None and usage.output_tokens:
        return Cost(usd=None, basis="no price is known for the output of this model")
    usd = (usage.input_tokens - cached) * tier.input + cached * tier.cached + usage.output_tokens * (tier.output or 0.0)
    return Cost(usd=usd, basis=rates.source)
