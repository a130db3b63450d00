"""Which failed calls are repeated, and after which wait."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.clock import SystemClock
from cuewire.engine.retry import asks_too_long, class_of, is_repeatable, is_told_when, share_of, wait_ms
from cuewire.model.errors import (
    AuthenticationFailed,
    ContextLengthExceeded,
    IncompleteAnswer,
    LimitReached,
    ModelNotServed,
    NetworkError,
    OutOfCredit,
    ProtocolError,
    ProviderError,
    ProviderFault,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
    kinds_of,
)
from cuewire.model.policies import FailureClass, Retry

CLASSES: dict[type[ProviderError], FailureClass | None] = {
    ProviderError: "service",
    RateLimited: "rate_limit",
    LimitReached: "rate_limit",
    OutOfCredit: "credit",
    AuthenticationFailed: "authentication",
    RequestRejected: None,
    ContextLengthExceeded: "context",
    ModelNotServed: "model",
    ProviderUnavailable: "service",
    ProviderFault: "service",
    ProtocolError: "service",
    NetworkError: "network",
    ProviderTimeout: "network",
    IncompleteAnswer: "network",
}
OURS = [kind for kind in kinds_of(ProviderError) if kind.__module__.startswith("cuewire.")]

POLICIES = st.builds(
    Retry,
    strategy=st.sampled_from(["fixed", "linear", "exponential"]),
    delay_ms=st.integers(0, 600_000),
    cap_ms=st.integers(0, 600_000),
    jitter=st.booleans(),
)
TIMES = st.integers(1, 10)
SHARES = st.floats(0, 1, exclude_max=True)
WISHES = st.none() | st.floats(0, 1e9)


@pytest.mark.parametrize(
    ("strategy", "waits"),
    [
        ("fixed", [1_000, 1_000, 1_000]),
        ("linear", [1_000, 2_000, 3_000]),
        ("exponential", [1_000, 2_000, 4_000]),
    ],
)
def test_without_jitter_waits_follow_the_formula(
    strategy: Literal["fixed", "linear", "exponential"], waits: list[float]
) -> None:
    policy = Retry(strategy=strategy, delay_ms=1_000, jitter=False)

    assert [wait_ms(policy, n, share=0.3, retry_after_s=None) for n in (1, 2, 3)] == waits


def test_the_cap_bounds_the_wait_and_what_a_provider_asks_for() -> None:
    policy = Retry(delay_ms=1_000, cap_ms=3_000, jitter=False)

    assert wait_ms(policy, 10, share=0.0, retry_after_s=None) == 3_000
    assert wait_ms(policy, 1, share=0.0, retry_after_s=2.5) == 2_500
    assert wait_ms(policy, 2, share=0.0, retry_after_s=0.5) == 2_000
    assert wait_ms(policy, 1, share=0.0, retry_after_s=1e9) == 3_000


def test_jitter_spreads_the_waits_from_nothing_up() -> None:
    policy = Retry(delay_ms=1_000)

    assert [wait_ms(policy, 2, share=share, retry_after_s=None) for share in (0, 0.25, 0.5)] == [0, 500, 1_000]


def test_jitter_spreads_also_those_who_were_told_the_same_wait() -> None:
    policy = Retry(delay_ms=1_000)

    assert [wait_ms(policy, 1, share=share, retry_after_s=5) for share in (0, 0.25, 0.5)] == [5_000, 5_250, 5_500]


def test_there_may_be_no_wait() -> None:
    assert wait_ms(Retry(delay_ms=0, jitter=False), 3, share=0.5, retry_after_s=None) == 0


@given(POLICIES, TIMES, SHARES, WISHES)
def test_a_wait_is_no_shorter_than_asked_for_and_no_longer_than_the_cap(
    policy: Retry, n: int, share: float, retry_after_s: float | None
) -> None:
    wait = wait_ms(policy, n, share=share, retry_after_s=retry_after_s)

    assert 0 <= wait <= policy.cap_ms
    assert wait == policy.cap_ms or wait >= (retry_after_s or 0) * 1_000


@given(POLICIES, TIMES, SHARES)
def test_jitter_makes_no_wait_longer(policy: Retry, n: int, share: float) -> None:
    whole = Retry(strategy=policy.strategy, delay_ms=policy.delay_ms, cap_ms=policy.cap_ms, jitter=False)

    wait = wait_ms(policy, n, share=share, retry_after_s=None)

    assert wait <= wait_ms(whole, n, share=share, retry_after_s=None)


@pytest.mark.parametrize(
    ("retry_after_s", "is_too_long"), [(None, False), (0.0, False), (30.0, False), (30.1, True), (1e9, True)]
)
def test_a_wait_beyond_the_cap_is_too_long(retry_after_s: float | None, is_too_long: bool) -> None:
    assert asks_too_long(Retry(cap_ms=30_000), retry_after_s) is is_too_long


@pytest.mark.parametrize("kind", OURS)
def test_each_kind_of_error_has_its_class(kind: type[ProviderError]) -> None:
    assert class_of(kind("it failed")) == CLASSES[kind]


def test_a_kind_of_error_that_is_not_known_counts_as_the_nearest_that_is() -> None:
    class Throttled(RateLimited):
        code = "throttled"

    class Odd(ProviderError):
        code = "odd"

    assert [class_of(Throttled("slow down")), class_of(Odd("it failed"))] == ["rate_limit", "service"]


@pytest.mark.parametrize("kind", OURS)
def test_what_may_succeed_later_is_repeated_if_nobody_heard_of_it(kind: type[ProviderError]) -> None:
    error = kind("it failed")

    assert is_repeatable(error, 1, is_heard=False) is kind.retriable
    assert is_repeatable(error, 2, is_heard=False) is (kind.retriable and kind is not ProtocolError)
    assert not is_repeatable(error, 1, is_heard=True)


@given(st.integers(0, 2**80 - 1))
def test_a_share_is_less_than_one(bits: int) -> None:
    assert 0 <= share_of(bits) < 1


def test_shares_are_spread() -> None:
    clock = SystemClock()

    shares = [share_of(clock.random_bits()) for _ in range(1_000)]

    assert len(set(shares)) == 1_000
    assert 0.4 < sum(shares) / 1_000 < 0.6


@pytest.mark.parametrize(
    ("error", "is_told"),
    [
        (RateLimited("slow down", status=429, retry_after_s=0.2), True),
        (RateLimited("slow down", status=429), False),
        (ProviderUnavailable("later", status=503, retry_after_s=0.2), False),
    ],
)
def test_a_provider_that_has_too_many_calls_may_say_when_to_come_back(error: ProviderError, is_told: bool) -> None:
    assert is_told_when(error) is is_told
