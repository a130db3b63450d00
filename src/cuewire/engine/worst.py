"""What a plan can cost at most, told before anything is spent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from cuewire.model.errors import InvalidInput
from cuewire.model.plans import Candidate, Plan
from cuewire.model.policies import Policy
from cuewire.model.prices import Rates
from cuewire.model.requests import ChatMessage, ModelRef

RatesOf: TypeAlias = Callable[[ModelRef], Rates | None]
"""Returns what a model's tokens cost, None where that is not known."""
_PER_MESSAGE = 16
"""Tokens that a message costs beside its text, at most."""


def worst_cost_usd(
    plan: Plan, policy: Policy, messages: Sequence[ChatMessage], rates_of: RatesOf
) -> tuple[float | None, str]:
    """Return what the plan's candidates can cost at most, or None and why that is not known.

    No token is shorter than a byte, so there are no more of them in than bytes; out come as many as `max_tokens` says.
    What judges cost is not in it. A picture counts as its URL, which is too little: with one nothing is known.
    """
    texts = [message.content for message in messages if isinstance(message.content, str)]
    if len(texts) < len(messages):
        return None, "what pictures and calls of functions cost is not known"
    tokens_in = sum(len(text.encode()) + _PER_MESSAGE for text in texts)
    total = 0.0
    for candidate in plan.candidates:
        tokens_out = _most_out(candidate)
        if tokens_out is None:
            return None, "a candidate has no max_tokens"
        repaired_in = tokens_in + policy.max_repairs * (tokens_out + tokens_in + 4_096)
        calls = (1 + policy.retry.max_retries) * (1 + policy.max_repairs)
        for model in (candidate.model, *candidate.fallbacks):
            rates = rates_of(model)
            if rates is None:
                return None, f"no price is known for {model}"
            dearest_in = max(
                max(tier.input, tier.cache_write or 0.0, tier.cache_write_1h or 0.0) for tier in rates.tiers
            )
            dearest_out = max(tier.output or 0.0 for tier in rates.tiers)
            total += calls * (repaired_in * dearest_in + tokens_out * dearest_out)
    return total, ""


def check_worst(policy: Policy, worst_usd: float | None, why: str) -> None:
    """Raise InvalidInput if a run may cost more than its policy allows, or nobody knows."""
    if policy.max_usd is None:
        return
    if worst_usd is None:
        raise InvalidInput(
            f"what this run can cost at most is not known ({why}), and its policy allows ${policy.max_usd:g}",
            field="/policy/max_usd",
            hint="say max_tokens in the parameters, and use models with a known price",
        )
    if worst_usd > policy.max_usd:
        raise InvalidInput(
            f"this run can cost ${worst_usd:.6f}, and its policy allows ${policy.max_usd:g}",
            field="/policy/max_usd",
            hint="ask for fewer candidates, retries or tokens, or raise max_usd",
        )


def _most_out(candidate: Candidate) -> int | None:
    found = candidate.parameters.get("max_completion_tokens", candidate.parameters.get("max_tokens"))
    return found if isinstance(found, int) else None
