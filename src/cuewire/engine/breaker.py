"""Circuit breakers: an endpoint that keeps failing is left alone for a while, and then tried with few calls first.

Closed, calls go through and their faults are counted; open, none goes through; half open, a few at a time do: as many
successes close it, one fault opens it for twice as long. Counted in this process alone, for calls of one event loop.
"""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime, timedelta
from math import ceil, inf
from types import TracebackType
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from cuewire.engine.retry import class_of
from cuewire.engine.telling import tell
from cuewire.model.breakers import BreakerState, BreakerStatus, BreakerTurn
from cuewire.model.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from cuewire.model.requests import ModelRef
from cuewire.model.values import Value
from cuewire.ports import Clock

MAX_ENDPOINTS = 10_000
"""Endpoints that are watched at most."""
BUCKETS = 12
"""A call is forgotten when between 11/12 of a window and a whole one have passed since its end."""

Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=86_400)]
Share: TypeAlias = Annotated[float, Meta(gt=0, le=1)]


class BreakerSettings(Value, frozen=True):
    """When a breaker opens, and for how long.

    It opens at a fault with which, of at least `min_calls` that ended within `window_s`, a share of `failure_rate` were
    faults. With `slow_call_s` it also opens at a call with which a share of `slow_rate` took that long. It stays open
    for `open_s`, and for twice as long each time that this was not enough, up to `max_open_s`. Then `probes` calls go
    through at a time, and as many successes close it; one that is slow is none.
    """

    window_s: Seconds = 60.0
    min_calls: Annotated[int, Meta(ge=1, le=1_000_000)] = 20
    failure_rate: Share = 0.5
    slow_call_s: Seconds | None = None
    slow_rate: Share = 1.0
    open_s: Seconds = 15.0
    max_open_s: Seconds = 300.0
    probes: Annotated[int, Meta(ge=1, le=1_000)] = 2


DEFAULTS = BreakerSettings()


class Breaker:
    """The breaker of one endpoint."""

    def __init__(self, model: ModelRef, settings: BreakerSettings = DEFAULTS, *, clock: Clock) -> None:
        self.model = model
        self._settings = settings
        self._slow_call_s = inf if settings.slow_call_s is None else settings.slow_call_s
        self._clock = clock
        self._period = 0
        self._probes_under_way = 0
        self._refused = 0
        self.reset()

    def status(self) -> BreakerStatus:
        """Return how it is now."""
        if self._status == "open" and self._clock.monotonic() >= self._open_until:
            self._turn("half_open", since=self._since + timedelta(seconds=self._open_s))
        return self._status

    @property
    def is_well(self) -> bool:
        """Tell whether it is closed, and not by hand."""
        return self._status == "closed" and not self._is_forced

    @property
    def probes(self) -> int:
        """How many calls try at a time while it is half open."""
        return self._settings.probes

    @property
    def is_idle(self) -> bool:
        """Tell whether it is well and has seen no call of late, so that a new one would do as well."""
        return self.is_well and not self._window.counts(self._clock.monotonic())[0]

    def may_call(self) -> bool:
        """Tell whether a call would go through now."""
        status = self.status()
        return status == "closed" or (status == "half_open" and self._probes_under_way < self._settings.probes)

    def call(self) -> _Call:
        """Return the context to make one call in; it counts how it is left.

        A fault of the provider is a failure: it cannot be reached, breaks off, takes too long, does not work or talks
        nonsense. With any other error, be it a rate limit, a refusal, a cancellation or a limit of ours, it was no
        call. Entering raises ProviderUnavailable if no call goes through now.
        """
        return _Call(self)

    def force(self, status: Literal["closed", "open"]) -> None:
        """Let it be so until `reset`, whatever becomes of the calls."""
        self._is_forced = True
        self._open_s = inf
        self._turn(status, since=self._clock.now())

    def reset(self) -> None:
        """Begin anew: closed, nothing counted. Calls that are under way do not count."""
        self._is_forced = False
        self._close()

    def state(self) -> BreakerState:
        """Return what there is to know of it."""
        status, now = self.status(), self._clock.monotonic()
        calls, failures, slow = self._window.counts(now)
        return BreakerState(
            model=str(self.model),
            status=status,
            is_forced=self._is_forced,
            since=self._since,
            calls=calls,
            failures=failures,
            slow=slow,
            tries_again_in_s=self._tries_again_in_s(now),
            refused=self._refused,
        )

    def _tries_again_in_s(self, now: float) -> float | None:
        if self._status != "open":
            return 0.0
        return None if self._is_forced else max(0.0, self._open_until - now)

    def _close(self) -> None:
        self._open_s = 0.0
        self._window = _Window(self._settings.window_s)
        self._turn("closed", since=self._clock.now())

    def _open(self) -> None:
        self._open_s = min(self._open_s * 2 or self._settings.open_s, self._settings.max_open_s)
        self._turn("open", since=self._clock.now())
        tell(logging.WARNING, "breaker.opened", model=self.model, for_s=self._open_s)

    def _turn(self, status: BreakerStatus, *, since: datetime) -> None:
        """Begin a new period, in which the ends of calls that began before it say nothing."""
        self._status: BreakerStatus = status
        self._since = since
        self._period += 1
        self._successes = 0
        self._open_until = self._clock.monotonic() + self._open_s

    def refusal(self) -> ProviderUnavailable:
        """Return what a call ends with that does not go through, and count it."""
        self._refused += 1
        name, wait_s = str(self.model), self._tries_again_in_s(self._clock.monotonic())
        if wait_s is None:
            return ProviderUnavailable(f"calls to {name!r} are stopped by hand", hint="reset its breaker to allow them")
        hint = f"it is tried again in {ceil(wait_s)} s" if wait_s else "it is being tried again, so ask again soon"
        return ProviderUnavailable(
            f"calls to {name!r} are stopped, because it failed too often", hint=hint, retry_after_s=wait_s or None
        )

    def _begin(self) -> tuple[bool, int, float]:
        """Let a call through; return whether it is a probe, in which period it began, and when."""
        is_probe = self._status != "closed"
        if is_probe:
            if not self.may_call():
                raise self.refusal()
            self._probes_under_way += 1
        return is_probe, self._period, self._clock.monotonic()

    def _end(self, begun: tuple[bool, int, float], error: BaseException | None) -> None:
        is_probe, period, began = begun
        if is_probe:
            self._probes_under_way -= 1
        if period != self._period or (error is not None and not _is_fault(error)):
            return
        now, is_failure = self._clock.monotonic(), error is not None
        is_slow = now - began >= self._slow_call_s
        self._window.add(now, is_failure=is_failure, is_slow=is_slow)
        if is_probe:
            self._probed(is_good=not is_failure and not is_slow)
        elif (is_failure or is_slow) and not self._is_forced and self._is_too_much(now):
            self._open()

    def _probed(self, *, is_good: bool) -> None:
        self._successes += 1
        if not is_good:
            self._open()
        elif self._successes >= self._settings.probes:
            self._close()
            tell(logging.INFO, "breaker.closed", model=self.model)

    def _is_too_much(self, now: float) -> bool:
        calls, failures, slow = self._window.counts(now)
        settings = self._settings
        is_failing, is_slow = failures >= settings.failure_rate * calls, slow >= settings.slow_rate * calls
        return calls >= settings.min_calls and (is_failing or is_slow)


class Breakers:
    """The breakers of all endpoints, each made when it is first asked for.

    When there are too many, those that have seen no call of late are forgotten, then those that are well, then all.
    """

    def __init__(
        self, settings: BreakerSettings = DEFAULTS, *, clock: Clock, max_endpoints: int = MAX_ENDPOINTS
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._max_endpoints = max_endpoints
        self._breakers: dict[ModelRef, Breaker] = {}

    def of(self, model: ModelRef) -> Breaker:
        """Return the breaker of an endpoint."""
        if (breaker := self._breakers.get(model)) is None:
            if len(self._breakers) >= self._max_endpoints:
                self._forget()
            breaker = self._breakers[model] = Breaker(model, self._settings, clock=self._clock)
        return breaker

    def states(self) -> tuple[BreakerState, ...]:
        """Return how all of them are, by model."""
        return tuple(sorted((breaker.state() for breaker in self._breakers.values()), key=lambda state: state.model))

    def turn(self, model: ModelRef, status: BreakerTurn) -> BreakerState:
        """Open or close one by hand, or leave it to itself again, and return how it is then."""
        breaker = self.of(model)
        if status == "reset":
            breaker.reset()
        else:
            breaker.force(status)
        return breaker.state()

    def _forget(self) -> None:
        """Make half of the room, so that it need not be made for each endpoint."""
        known = self._breakers
        known = {model: breaker for model, breaker in known.items() if not breaker.is_idle}
        if len(known) > self._max_endpoints // 2:
            known = {model: breaker for model, breaker in known.items() if not breaker.is_well}
        self._breakers = known if len(known) <= self._max_endpoints // 2 else {}


class _Call:
    """The context of one call."""

    __slots__ = ("_begun", "_breaker")

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker

    def __enter__(self) -> None:
        self._begun = self._breaker._begin()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._breaker._end(self._begun, error)


class _Window:
    """Calls of the last while, counted by when they ended, so that it takes no more memory for more calls."""

    __slots__ = ("_buckets", "_newest", "_width_s")

    def __init__(self, length_s: float) -> None:
        self._width_s = length_s / BUCKETS
        self._newest = _Bucket(-inf)
        self._buckets = deque([self._newest], maxlen=BUCKETS)

    def add(self, now: float, *, is_failure: bool, is_slow: bool) -> None:
        number = now // self._width_s
        newest = self._newest
        if number != newest.number:
            newest = self._newest = _Bucket(number)
            self._buckets.append(newest)
        newest.calls += 1
        if is_failure:
            newest.failures += 1
        if is_slow:
            newest.slow += 1

    def counts(self, now: float) -> tuple[int, int, int]:
        """Return how many calls there were, and how many of them failed or were slow."""
        newest_gone = now // self._width_s - BUCKETS
        seen = [bucket for bucket in self._buckets if bucket.number > newest_gone]
        return sum(each.calls for each in seen), sum(each.failures for each in seen), sum(each.slow for each in seen)


class _Bucket:
    __slots__ = ("calls", "failures", "number", "slow")

    def __init__(self, number: float) -> None:
        self.number = number
        self.calls = self.failures = self.slow = 0


def _is_fault(error: BaseException) -> bool:
    if isinstance(error, ProviderTimeout) and error.phase == "candidate":
        return False  # we ended it, who knows how soon
    return isinstance(error, ProviderError) and class_of(error) in ("service", "network")
