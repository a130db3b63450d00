"""Which failed calls are repeated at the same endpoint, and after which wait. Pure: the caller draws and waits."""

from __future__ import annotations

from cuewire.model.errors import (
    AuthenticationFailed,
    ContextLengthExceeded,
    IncompleteAnswer,
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
)
from cuewire.model.policies import FailureClass, Retry

_CLASSES: dict[type[ProviderError], FailureClass | None] = {
    ProviderError: "service",
    RateLimited: "rate_limit",
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

_SHARE_BITS = 53
"""As many as a float holds exactly."""


def class_of(error: ProviderError) -> FailureClass | None:
    """Return what kind of failure an error is; None for what is wrong with the request, and so is wrong everywhere.

    A kind of error that is not known here counts as the nearest that is.
    """
    return next(_CLASSES[kind] for kind in type(error).__mro__ if kind in _CLASSES)


def is_repeatable(error: ProviderError, n: int, *, is_heard: bool) -> bool:
    """Tell whether a call that failed may be repeated at the same endpoint, as retry n (1, 2, ...).

    Never if text of its answer was heard: the listener would get the beginning of another answer behind it. What is not
    the protocol is repeated as the first retry alone: it may have been a proxy's page, or else it stays what it is.
    """
    return error.retriable and not is_heard and (n == 1 or not isinstance(error, ProtocolError))


def wait_ms(policy: Retry, n: int, *, share: float, retry_after_s: float | None) -> float:
    """Return the wait before retry n (1, 2, ...), never more than the cap.

    With jitter it is the `share` of the policy's wait, a random number in [0, 1). The wait that the provider asks for
    comes before that, so that those who were told the same do not all come back at once; without jitter the longer of
    the two counts.
    """
    delay_ms = min(_delay_ms(policy, n), policy.cap_ms)
    least_ms = (retry_after_s or 0.0) * 1_000
    return min(least_ms + delay_ms * share if policy.jitter else max(least_ms, delay_ms), policy.cap_ms)


def is_told_when(error: ProviderError) -> bool:
    """Tell whether a provider that has too many calls said when to come back.

    No call of its key is made before that, and fewer at a time after it, so that repeating what it refused multiplies
    nothing: a burst that went beyond a limit is put off, not lost.
    """
    return isinstance(error, RateLimited) and error.retry_after_s is not None


def asks_too_long(policy: Retry, retry_after_s: float | None) -> bool:
    """Tell whether a provider asks for a longer wait than the policy allows: it would refuse whoever comes earlier."""
    return retry_after_s is not None and retry_after_s * 1_000 > policy.cap_ms


def share_of(bits: int) -> float:
    """Return random bits, as a Clock gives them, as a number in [0, 1)."""
    return (bits & ((1 << _SHARE_BITS) - 1)) / (1 << _SHARE_BITS)


def _delay_ms(policy: Retry, n: int) -> int:
    if policy.strategy == "fixed":
        return policy.delay_ms
    if policy.strategy == "linear":
        return policy.delay_ms * n
    return policy.delay_ms << (n - 1)
