"""Which endpoints are asked when one has failed for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.engine.failover import fallbacks, goes_over, remaining
from cuewire.model.errors import (
    AuthenticationFailed,
    ContextLengthExceeded,
    ModelNotServed,
    OutOfCredit,
    ProviderError,
    ProviderFault,
    RateLimited,
    RequestRejected,
)
from cuewire.model.policies import Failover, FailureClass
from cuewire.model.requests import ModelRef, parse_model

ELIGIBLE = [
    "openai/gpt-4o",
    "openai/gpt-4o-mini",
    "anthropic/claude-sonnet-4-5",
    "openrouter/openai/GPT-4o",
    "azure/gpt-4o",
    "openai/gpt-4o-mini",
]
"""By priority; one of them twice."""
POWERS = {"anthropic/claude-sonnet-4-5": 9, "azure/gpt-4o": 7, "openai/gpt-4o-mini": 3}

Strategy = Literal["none", "same_model_other_provider", "next_by_priority", "by_power"]
Preference = Literal["same", "different", "require_same"]

MODELS = st.builds(
    ModelRef,
    provider=st.sampled_from(["a", "b", "c"]),
    model=st.sampled_from(["x", "y", "z", "lab/X", "lab/y"]),
)


def models(names: Sequence[str]) -> tuple[ModelRef, ...]:
    return tuple(parse_model(name) for name in names)


def found(policy: Failover, model: str = "openai/gpt-4o") -> list[str]:
    return [str(other) for other in fallbacks(parse_model(model), models(ELIGIBLE), policy=policy, powers=POWERS)]


def left_of(
    names: Sequence[str], *, failed: str, error: ProviderError, windows: dict[str, int] | None = None
) -> list[str]:
    left = remaining(models(names), failed=parse_model(failed), error=error, windows=windows or {})
    return [str(model) for model in left]


def name_of(model: ModelRef) -> str:
    return model.model.split("/")[-1].lower()


@pytest.mark.parametrize(
    ("strategy", "preference", "names"),
    [
        ("none", "same", []),
        ("same_model_other_provider", "same", ["openrouter/openai/GPT-4o", "azure/gpt-4o"]),
        ("same_model_other_provider", "different", ["openrouter/openai/GPT-4o", "azure/gpt-4o"]),
        ("same_model_other_provider", "require_same", ["openrouter/openai/GPT-4o", "azure/gpt-4o"]),
        (
            "next_by_priority",
            "same",
            ["openrouter/openai/GPT-4o", "azure/gpt-4o", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"],
        ),
        (
            "next_by_priority",
            "different",
            ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "openrouter/openai/GPT-4o", "azure/gpt-4o"],
        ),
        ("next_by_priority", "require_same", ["openrouter/openai/GPT-4o", "azure/gpt-4o"]),
        (
            "by_power",
            "same",
            ["azure/gpt-4o", "openrouter/openai/GPT-4o", "anthropic/claude-sonnet-4-5", "openai/gpt-4o-mini"],
        ),
        (
            "by_power",
            "different",
            ["anthropic/claude-sonnet-4-5", "openai/gpt-4o-mini", "azure/gpt-4o", "openrouter/openai/GPT-4o"],
        ),
        ("by_power", "require_same", ["azure/gpt-4o", "openrouter/openai/GPT-4o"]),
    ],
)
def test_the_preference_comes_before_the_strategy(strategy: Strategy, preference: Preference, names: list[str]) -> None:
    assert found(Failover(strategy=strategy, model=preference)) == names


def test_all_others_are_there_for_the_one_that_comes_last() -> None:
    names = found(Failover(strategy="next_by_priority", model="different"), model="azure/gpt-4o")

    assert names == [
        "openai/gpt-4o-mini",
        "anthropic/claude-sonnet-4-5",
        "openai/gpt-4o",
        "openrouter/openai/GPT-4o",
    ]


def test_the_same_model_under_another_name_of_its_provider_is_no_other_provider() -> None:
    eligible = models(["openrouter/azure/gpt-4o", "azure/gpt-4o"])
    model = parse_model("openrouter/openai/gpt-4o")
    policy = Failover(strategy="same_model_other_provider")

    assert fallbacks(model, eligible, policy=policy, powers={}) == eligible[1:]


@given(
    model=MODELS,
    eligible=st.lists(MODELS, max_size=12),
    policy=st.builds(
        Failover,
        strategy=st.sampled_from(["none", "same_model_other_provider", "next_by_priority", "by_power"]),
        model=st.sampled_from(["same", "different", "require_same"]),
    ),
    powers=st.dictionaries(MODELS.map(str), st.integers(-5, 5)),
)
def test_a_list_holds_eligible_endpoints_once_and_in_the_order_wished_for(
    model: ModelRef, eligible: list[ModelRef], policy: Failover, powers: dict[str, int]
) -> None:
    others = fallbacks(model, eligible, policy=policy, powers=powers)

    assert len(set(others)) == len(others)
    assert set(others) <= set(eligible) - {model}
    are_same = [name_of(other) == name_of(model) for other in others]
    assert are_same == sorted(are_same, reverse=policy.model != "different")
    if policy.model == "require_same":
        assert all(are_same)
    elif policy.strategy in ("next_by_priority", "by_power"):
        assert set(others) == set(eligible) - {model}
    for one, other in zip(others, others[1:], strict=False):
        if (name_of(one) == name_of(model)) == (name_of(other) == name_of(model)):
            power, less = (powers.get(str(each), -99) for each in (one, other))
            is_later = eligible.index(one) < eligible.index(other)
            assert power > less or (power == less and is_later) if policy.strategy == "by_power" else is_later


@pytest.mark.parametrize(
    ("scope", "error", "is_over"),
    [
        ((), ProviderFault("it failed"), True),
        ((), AuthenticationFailed("who are you"), True),
        ((), ContextLengthExceeded("too long"), True),
        ((), RequestRejected("no"), False),
        (("rate_limit",), RateLimited("slow down"), True),
        (("rate_limit",), ProviderFault("it failed"), False),
        (("rate_limit", "service"), ProviderFault("it failed"), True),
    ],
)
def test_another_endpoint_is_asked_after_failures_of_the_scope(
    scope: tuple[FailureClass, ...], error: ProviderError, is_over: bool
) -> None:
    assert goes_over(Failover(strategy="by_power", scope=scope), error) is is_over
    assert not goes_over(Failover(strategy="none", scope=scope), error)


@pytest.mark.parametrize("error", [AuthenticationFailed("who are you"), OutOfCredit("no money")])
def test_what_is_wrong_with_an_account_strikes_out_its_provider(error: ProviderError) -> None:
    assert left_of(["a/y", "b/x", "a/z", "c/x"], failed="a/x", error=error) == ["b/x", "c/x"]


@pytest.mark.parametrize("error", [ProviderFault("it failed"), ModelNotServed("no such model"), RateLimited("slow")])
def test_other_failures_strike_out_what_failed_and_nothing_else(error: ProviderError) -> None:
    assert left_of(["a/x", "a/y", "b/x"], failed="a/x", error=error, windows={"a/x": 9}) == ["a/y", "b/x"]


def test_messages_that_do_not_fit_leave_what_is_larger_or_not_known() -> None:
    windows = {"a/x": 8_000, "a/small": 4_000, "a/equal": 8_000, "a/large": 8_001}
    names = ["a/small", "a/equal", "a/large", "a/unknown", "b/x"]

    left = left_of(names, failed="a/x", error=ContextLengthExceeded("too long"), windows=windows)

    assert left == ["a/large", "a/unknown", "b/x"]


def test_messages_that_do_not_fit_a_window_that_is_not_known_leave_all_others() -> None:
    left = left_of(["a/y", "a/z"], failed="a/x", error=ContextLengthExceeded("too long"), windows={"a/y": 1})

    assert left == ["a/y", "a/z"]
