"""What an answer cost: the provider's own figure if there is one, else usage times rates, else unknown and why."""

from __future__ import annotations

from collections.abc import Sequence

from cuewire.model.embeddings import Embeddings
from cuewire.model.executions import CallRecord
from cuewire.model.prices import Rates, Tier
from cuewire.model.requests import ModelRef
from cuewire.model.results import Answer, Cost
from cuewire.model.usage import Usage


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
    if tier.output is None and usage.output_tokens:
        return Cost(usd=None, basis="no price is known for the output of this model")
    usd = _input_usd(usage, usage.input_tokens, tier) + usage.output_tokens * (tier.output or 0.0)
    return Cost(usd=usd, basis=rates.source)


def _input_usd(usage: Usage, input_tokens: int, tier: Tier) -> float:
    """Price each token of the input once: read from the cache, written to it for an hour or for minutes, or neither."""
    cached = min(usage.cached_tokens or 0, input_tokens)
    written = min(usage.cache_write_tokens or 0, input_tokens - cached)
    written_1h = min(usage.cache_write_1h_tokens or 0, written)
    write = tier.input if tier.cache_write is None else tier.cache_write
    write_1h = write if tier.cache_write_1h is None else tier.cache_write_1h
    return (
        (input_tokens - cached - written) * tier.input
        + cached * tier.cached
        + (written - written_1h) * write
        + written_1h * write_1h
    )


def total_cost(calls: Sequence[CallRecord]) -> Cost:
    """Return what calls cost together: unknown as soon as one of them is."""
    if not calls:
        return Cost(usd=0.0, basis="no model was called")
    unknown = sum(call.cost_usd is None for call in calls)
    if unknown:
        return Cost(usd=None, basis=f"what {unknown} of {len(calls)} calls cost is not known")
    what = f"the sum of {len(calls)} calls" if len(calls) > 1 else "what its only call cost"
    return Cost(usd=sum(call.cost_usd or 0.0 for call in calls), basis=what)


def total_usage(calls: Sequence[CallRecord]) -> Usage:
    """Return the tokens of several calls together; each count is None if a call that was answered reported none."""
    answered = [call.usage for call in calls if call.status == "ok"]
    if len(answered) == 1:
        return answered[0]
    sums = {
        name: None if None in counts or not counts else sum(counts)
        for name in Usage.__struct_fields__
        for counts in [[getattr(usage, name) for usage in answered]]
    }
    return Usage(**sums)
