"""Whatever happens to a breaker, it does what lists of all calls say."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Literal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cuewire.clock import SystemClock
from cuewire.engine.breaker import BUCKETS, Breaker, BreakerSettings
from cuewire.model.errors import NetworkError, ProviderUnavailable, RateLimited
from cuewire.model.requests import parse_model
from cuewire.model.values import Value

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ENDS: dict[str, BaseException | None] = {
    "well": None,
    "failed": NetworkError("the connection was lost"),
    "limited": RateLimited("slow down"),
    "cancelled": KeyboardInterrupt(),
}


class MovedClock(SystemClock):
    """A clock that is moved by hand."""

    at = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at


class Call(Value, frozen=True):
    """One call of the model."""

    context: AbstractContextManager[None]
    began: float
    period: int
    is_probe: bool


class Ended(Value, frozen=True):
    at: float
    is_failure: bool
    is_slow: bool


class BreakerMachine(RuleBasedStateMachine):
    """A breaker beside a model that keeps every call, and counts all of them each time."""

    @initialize(
        min_calls=st.integers(1, 4),
        failure_rate=st.sampled_from([0.25, 0.5, 1.0]),
        slow_call_s=st.sampled_from([None, 2.0]),
        probes=st.integers(1, 3),
    )
    def begin(self, min_calls: int, failure_rate: float, slow_call_s: float | None, probes: int) -> None:
        self.settings = BreakerSettings(
            window_s=12.0,
            min_calls=min_calls,
            failure_rate=failure_rate,
            slow_call_s=slow_call_s,
            slow_rate=0.75,
            open_s=5.0,
            max_open_s=15.0,
            probes=probes,
        )
        self.clock = MovedClock()
        self.breaker = Breaker(parse_model("openai/gpt-4o"), self.settings, clock=self.clock)
        self.status = "closed"
        self.is_forced = False
        self.since = 0.0
        self.open_s = 0.0
        self.period = 0
        self.successes = 0
        self.ended: list[Ended] = []
        self.running: list[Call] = []

    @rule(quarters=st.sampled_from([0, 1, 3, 4, 8, 20, 40, 60]))
    def wait(self, quarters: float) -> None:
        self.clock.at += quarters / 4
        if self.status == "open" and self.clock.at >= self.since + self.open_s:
            self.turn("half_open", since=self.since + self.open_s)

    @precondition(lambda self: self.status == "open" and not self.is_forced)
    @rule(too_early=st.sampled_from([0.0, 0.25]))
    def wait_it_out(self, too_early: float) -> None:
        self.wait(quarters=4 * max(0.0, self.since + self.open_s - too_early - self.clock.at))

    @rule()
    def call(self) -> None:
        is_let_through = self.lets_through()
        context = self.breaker.call()
        if is_let_through:
            context.__enter__()
            is_probe = self.status == "half_open"
            call = Call(context=context, began=self.clock.at, period=self.period, is_probe=is_probe)
            self.running.append(call)
        else:
            with pytest.raises(ProviderUnavailable):
                context.__enter__()

    @rule(times=st.integers(1, 6), how=st.sampled_from(sorted(ENDS)))
    def calls(self, times: int, how: str) -> None:
        for _ in range(times):
            if self.lets_through():
                self.call()
                self.end(place=-1, how=how)

    @precondition(lambda self: self.running)
    @rule(place=st.integers(0, 9), how=st.sampled_from(sorted(ENDS)))
    def end(self, place: int, how: str) -> None:
        call = self.running.pop(place % len(self.running))
        error = ENDS[how]
        call.context.__exit__(type(error) if error else None, error, None)
        if call.period != self.period or how in ("limited", "cancelled"):
            return
        slow_call_s = self.settings.slow_call_s
        is_slow = slow_call_s is not None and self.clock.at - call.began >= slow_call_s
        self.ended.append(Ended(at=self.clock.at, is_failure=how == "failed", is_slow=is_slow))
        if how == "well" and not is_slow:
            self.successes += 1
            if self.status == "half_open" and self.successes == self.settings.probes:
                self.close()
        elif self.status == "half_open":
            self.open(min(self.open_s * 2, 15.0))
        elif not self.is_forced and self.is_too_much():
            self.open(5.0)

    @precondition(lambda self: len(self.ended) > 4)  # else it would rarely open by itself
    @rule(status=st.sampled_from(["open", "closed"]))
    def force(self, status: Literal["open", "closed"]) -> None:
        self.breaker.force(status)
        self.is_forced = True
        self.open_s = inf
        self.turn(status, since=self.clock.at)

    @precondition(lambda self: self.is_forced or len(self.ended) > 6)
    @rule()
    def reset(self) -> None:
        self.breaker.reset()
        self.is_forced = False
        self.close()

    @invariant()
    def is_as_the_model_says(self) -> None:
        state, seen = self.breaker.state(), self.seen()
        assert (state.status, state.is_forced) == (self.status, self.is_forced)
        assert state.since == NOON + timedelta(seconds=self.since)
        assert state.calls == len(seen)
        assert state.failures == sum(call.is_failure for call in seen)
        assert state.slow == sum(call.is_slow for call in seen)
        assert self.breaker.may_call() == self.lets_through()
        left_s = self.since + self.open_s - self.clock.at
        assert state.tries_again_in_s == (0 if self.status != "open" else None if self.is_forced else left_s)

    @invariant()
    def few_probes_are_under_way(self) -> None:
        assert sum(call.is_probe for call in self.running) <= self.settings.probes

    @invariant()
    def the_window_is_as_long_as_it_says_but_for_a_twelfth(self) -> None:
        ages = [self.clock.at - call.at for call in self.ended]

        assert sum(age <= 11 for age in ages) <= self.breaker.state().calls <= sum(age < 12 for age in ages)

    def lets_through(self) -> bool:
        probes = sum(call.is_probe for call in self.running)
        return self.status == "closed" or (self.status == "half_open" and probes < self.settings.probes)

    def seen(self) -> list[Ended]:
        width = self.settings.window_s / BUCKETS
        return [call for call in self.ended if self.clock.at // width - call.at // width < BUCKETS]

    def is_too_much(self) -> bool:
        seen = self.seen()
        return len(seen) >= self.settings.min_calls and (
            sum(call.is_failure for call in seen) / len(seen) >= self.settings.failure_rate
            or sum(call.is_slow for call in seen) / len(seen) >= self.settings.slow_rate
        )

    def open(self, open_s: float) -> None:
        self.open_s = open_s
        self.turn("open", since=self.clock.at)

    def close(self) -> None:
        self.ended = []
        self.open_s = 0.0
        self.turn("closed", since=self.clock.at)

    def turn(self, status: str, *, since: float) -> None:
        self.status = status
        self.since = since
        self.period += 1
        self.successes = 0


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=50, stateful_step_count=50, deadline=None)
