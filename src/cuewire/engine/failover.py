"""Which endpoints are asked when one has failed for good: a list made once, of which failures strike out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

from cuewire.engine.retry import class_of
from cuewire.model.errors import ProviderError
from cuewire.model.policies import Failover
from cuewire.model.requests import ModelRef


def fallbacks(
    model: ModelRef, eligible: Sequence[ModelRef], *, policy: Failover, powers: Mapping[str, int]
) -> tuple[ModelRef, ...]:
    """Return the endpoints to go to when this one has failed, in order.

    `eligible` are the endpoints that the plan may use, by priority, the highest first. The wish for the same model, or
    another one, comes first, then the strategy: by power, the highest first and the unknown last, else by priority.
    `powers` are by `provider/model`. Two endpoints have the same model if the last parts of their names are equal but
    for case: `openrouter/openai/gpt-4o` and `openai/gpt-4o` do, `gpt-4o` and `gpt-4o-2024-11-20` do not.
    """
    if policy.strategy == "none":
        return ()
    others = [other for other in dict.fromkeys(eligible) if other != model]
    if policy.strategy == "same_model_other_provider":
        others = [other for other in others if other.provider != model.provider and _is_same(other, model)]
    elif policy.model == "require_same":
        others = [other for other in others if _is_same(other, model)]
    if policy.strategy == "by_power":
        others.sort(key=lambda other: -powers.get(str(other), -inf))
    others.sort(key=lambda other: _is_same(other, model) is (policy.model == "different"))
    return tuple(others)


def goes_over(policy: Failover, error: ProviderError) -> bool:
    """Tell whether another endpoint is asked after this failure. Never after what is wrong with the request."""
    kind = class_of(error)
    return policy.strategy != "none" and kind is not None and (not policy.scope or kind in policy.scope)


def remaining(
    endpoints: Sequence[ModelRef], *, failed: ModelRef, error: ProviderError, windows: Mapping[str, int]
) -> tuple[ModelRef, ...]:
    """Return the endpoints that may still help after one of them, or the one before them, has failed.

    A key that is not accepted, or an account without credit, strikes out all models of that provider; messages that do
    not fit strike out those whose window is known not to be larger. `windows` are tokens, by `provider/model`.
    """
    left = [other for other in endpoints if other != failed]
    match class_of(error):
        case "authentication" | "credit":
            left = [other for other in left if other.provider != failed.provider]
        case "context":
            too_small = windows.get(str(failed), 0)
            left = [other for other in left if windows.get(str(other), inf) > too_small]
    return tuple(left)


def _is_same(one: ModelRef, other: ModelRef) -> bool:
    return _name(one) == _name(other)


def _name(model: ModelRef) -> str:
    return model.model.rpartition("/")[2].casefold()
