"""An endpoint that keeps failing is left alone for a while, then tried with few calls first."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from cuewire.clock import SystemClock
from cuewire.engine.breaker import BUCKETS, DEFAULTS, Breaker, Breakers, BreakerSettings
from cuewire.engine.retry import class_of
from cuewire.model.errors import (
    AuthenticationFailed,
    IncompleteAnswer,
    NetworkError,
    ProtocolError,
    ProviderError,
    ProviderFault,
    ProviderTimeout,
    ProviderUnavailable,
    kinds_of,
)
from cuewire.model.requests import parse_model

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MODEL = parse_model("openai/gpt-4o-mini")
FAULT = ProviderFault("it failed")
FAULTS = {
    ProviderError,
    ProviderUnavailable,
    ProviderFault,
    ProtocolError,
    NetworkError,
    ProviderTimeout,
    IncompleteAnswer,
}


class MovedClock(SystemClock):
    """A clock that is moved by hand."""

    at = 1_000.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.at - 1_000)

    def monotonic(self) -> float:
        return self.at


def make(settings: BreakerSettings = DEFAULTS, *, clock: MovedClock | None = None) -> Breaker:
    return Breaker(MODEL, settings, clock=clock or MovedClock())


def succeed(breaker: Breaker, *, times: int = 1) -> None:
    for _ in range(times):
        with breaker.call():
            pass


def fail(breaker: Breaker, error: BaseException = FAULT, *, times: int = 1) -> None:
    for _ in range(times):
        with suppress(type(error)), breaker.call():
            raise error


def opened(clock: MovedClock) -> Breaker:
    breaker = make(clock=clock)
    fail(breaker, times=20)
    assert breaker.status() == "open"
    return breaker


def test_it_opens_when_half_of_enough_calls_have_failed() -> None:
    breaker = make()

    succeed(breaker, times=10)
    fail(breaker, times=9)
    assert (breaker.status(), breaker.may_call()) == ("closed", True)
    fail(breaker)

    assert (breaker.status(), breaker.may_call()) == ("open", False)


def test_few_calls_open_nothing() -> None:
    breaker = make()

    fail(breaker, times=19)

    assert breaker.status() == "closed"


def test_a_success_opens_nothing_though_enough_have_failed_before() -> None:
    breaker = make()

    fail(breaker, times=19)
    succeed(breaker, times=10)
    assert breaker.status() == "closed"
    fail(breaker)

    assert breaker.status() == "open"


def test_failures_are_forgotten_after_the_window_and_not_before() -> None:
    clock = MovedClock()
    breaker = make(clock=clock)
    fail(breaker, times=19)

    clock.at += 60 - 60 / BUCKETS
    assert (breaker.state().calls, breaker.state().failures) == (19, 19)
    clock.at += 60 / BUCKETS
    assert (breaker.state().calls, breaker.state().failures) == (0, 0)
    fail(breaker)

    assert breaker.status() == "closed"


@pytest.mark.parametrize("kind", [kind for kind in kinds_of(ProviderError) if kind.__module__.startswith("cuewire.")])
def test_faults_of_the_provider_count_and_nothing_else(kind: type[ProviderError]) -> None:
    breaker = make()

    fail(breaker, kind("it failed"), times=20)

    assert (breaker.state().calls, breaker.status()) == ((20, "open") if kind in FAULTS else (0, "closed"))


@pytest.mark.parametrize(
    "error",
    [
        asyncio.CancelledError(),
        ValueError("a fault of ours"),
        KeyboardInterrupt(),
        ProviderTimeout("ours", phase="candidate"),
    ],
)
def test_what_did_not_come_from_the_provider_does_not_count(error: BaseException) -> None:
    breaker = make()

    fail(breaker, error, times=100)

    assert breaker.state().calls == 0


def test_while_it_is_open_calls_are_refused_and_told_for_how_long() -> None:
    clock = MovedClock()
    breaker = opened(clock)
    clock.at += 4.5

    with pytest.raises(ProviderUnavailable) as refused, breaker.call():
        pytest.fail("no call goes through")

    assert refused.value.retry_after_s == 10.5
    assert str(refused.value) == (
        "calls to 'openai/gpt-4o-mini' are stopped, because it failed too often; it is tried again in 11 s"
    )
    assert class_of(refused.value) == "service"


def test_it_stays_open_for_twice_as_long_each_time_that_did_not_help_up_to_a_bound() -> None:
    clock = MovedClock()
    breaker = opened(clock)

    lengths = []
    for _ in range(7):
        began = clock.at
        clock.at += breaker.state().tries_again_in_s or 0
        lengths.append(clock.at - began)
        assert breaker.status() == "half_open"
        fail(breaker)

    assert lengths == [15, 30, 60, 120, 240, 300, 300]


def test_successes_of_probes_close_it_and_what_was_before_is_forgotten() -> None:
    clock = MovedClock()
    breaker = opened(clock)
    clock.at += 15

    succeed(breaker)
    assert breaker.status() == "half_open"
    succeed(breaker)

    assert breaker.state().calls == 0
    fail(breaker, times=19)
    assert breaker.status() == "closed"
    fail(breaker)
    assert breaker.state().tries_again_in_s == 15


async def test_of_a_hundred_that_wait_two_try_it_and_who_is_cancelled_makes_room() -> None:
    clock = MovedClock()
    breaker = opened(clock)
    clock.at += 15
    forever = asyncio.Event()

    async def call() -> str:
        try:
            with breaker.call():
                await forever.wait()
        except ProviderUnavailable as error:
            return f"{error}; {error.retry_after_s}"
        return "answered"

    calls = [asyncio.create_task(call()) for _ in range(100)]
    refused, trying = await asyncio.wait(calls, timeout=0.01)

    assert (len(refused), len(trying), breaker.may_call()) == (98, 2, False)
    assert {task.result().partition("; ")[2] for task in refused} == {
        "it is being tried again, so ask again soon; None"
    }
    for task in trying:
        task.cancel()
    await asyncio.wait(trying)
    assert (breaker.status(), breaker.may_call()) == ("half_open", True)


@pytest.mark.parametrize("error", [AuthenticationFailed("who are you"), asyncio.CancelledError()])
def test_a_probe_that_says_nothing_changes_nothing(error: BaseException) -> None:
    clock = MovedClock()
    breaker = opened(clock)
    clock.at += 15
    before = breaker.state()

    fail(breaker, error, times=10)

    assert breaker.state() == before


def test_calls_that_began_before_it_opened_say_nothing_of_probes() -> None:
    clock = MovedClock()
    breaker = make(clock=clock)
    with suppress(ProviderFault), breaker.call():
        with breaker.call(), breaker.call():
            fail(breaker, times=20)
            clock.at += 15
            assert breaker.status() == "half_open"
        assert breaker.status() == "half_open"
        raise FAULT

    assert breaker.status() == "half_open"


def test_a_probe_that_outlives_its_time_still_takes_its_place() -> None:
    clock = MovedClock()
    breaker = opened(clock)
    clock.at += 15
    with breaker.call():
        fail(breaker)
        clock.at += 30
        with breaker.call():
            assert (breaker.status(), breaker.may_call()) == ("half_open", False)


def test_slow_calls_open_it_where_a_threshold_is_set() -> None:
    clock = MovedClock()
    breaker = make(BreakerSettings(slow_call_s=5, slow_rate=0.8, min_calls=10, window_s=600), clock=clock)

    def slow(seconds: float) -> None:
        with breaker.call():
            clock.at += seconds

    succeed(breaker, times=2)
    for seconds in [4.9, *[5.0] * 11]:
        slow(seconds)
        assert breaker.status() == "closed"
    slow(5)

    assert breaker.status() == "open"
    clock.at += 15
    slow(5)
    assert breaker.state().tries_again_in_s == 30


def test_opened_by_hand_it_stays_so_until_it_is_reset() -> None:
    clock = MovedClock()
    breaker = make(clock=clock)
    breaker.force("open")
    clock.at += 1e6

    with pytest.raises(ProviderUnavailable, match="stopped by hand; reset its breaker") as refused, breaker.call():
        pytest.fail("no call goes through")

    assert refused.value.retry_after_s is None
    assert (breaker.state().tries_again_in_s, breaker.state().is_forced) == (None, True)
    breaker.reset()
    assert (breaker.status(), breaker.may_call(), breaker.state().is_forced) == ("closed", True, False)


def test_closed_by_hand_it_counts_but_does_not_open_until_it_is_reset() -> None:
    clock = MovedClock()
    breaker = opened(clock)
    breaker.force("closed")

    fail(breaker, times=100)
    assert (breaker.status(), breaker.state().failures) == ("closed", 120)
    breaker.reset()
    fail(breaker, times=20)

    assert (breaker.status(), breaker.state().tries_again_in_s) == ("open", 15)


def test_a_state_says_since_when() -> None:
    clock = MovedClock()
    breaker = make(clock=clock)
    assert breaker.state().since == NOON
    clock.at += 7
    fail(breaker, times=20)
    assert breaker.state().since == NOON + timedelta(seconds=7)

    clock.at += 1_000

    assert breaker.state().status == "half_open"
    assert breaker.state().since == NOON + timedelta(seconds=7 + 15)


def test_by_hand_one_is_turned_by_name_and_refusals_are_counted_ever_since() -> None:
    breakers, model = Breakers(clock=MovedClock()), parse_model("openai/gpt-4o")

    stopped = breakers.turn(model, "open")
    for _ in range(2):
        with pytest.raises(ProviderUnavailable), breakers.of(model).call():
            pass
    reset = breakers.turn(model, "reset")

    assert (stopped.status, stopped.is_forced, stopped.refused) == ("open", True, 0)
    assert (reset.status, reset.is_forced, reset.refused) == ("closed", False, 2)
    assert breakers.states() == (reset,)


def test_it_tells_the_log_when_it_opens_and_closes_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    clock = MovedClock()
    with caplog.at_level(logging.INFO, logger="cuewire.engine"):
        breaker = opened(clock)
        clock.at += 15
        succeed(breaker, times=2)

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "breaker.opened model=openai/gpt-4o-mini for_s=15"),
        ("INFO", "breaker.closed model=openai/gpt-4o-mini"),
    ]


def test_endpoints_have_breakers_of_their_own() -> None:
    breakers = Breakers(clock=MovedClock())
    fail(breakers.of(MODEL), times=20)
    succeed(breakers.of(parse_model("azure/gpt-4o-mini")), times=3)

    assert breakers.of(parse_model("openai/gpt-4o-mini")) is breakers.of(MODEL)
    assert [(state.model, state.status, state.calls) for state in breakers.states()] == [
        ("azure/gpt-4o-mini", "closed", 3),
        ("openai/gpt-4o-mini", "open", 20),
    ]


def test_too_many_endpoints_are_forgotten_those_that_are_well_first() -> None:
    clock = MovedClock()
    breakers = Breakers(clock=clock, max_endpoints=8)

    def of(name: str) -> Breaker:
        return breakers.of(parse_model(name))

    def known() -> list[str]:
        return [state.model for state in breakers.states()]

    fail(of("bad/a"), times=20)
    succeed(of("well/a"))
    for number in range(7):
        of(f"idle/{number}")
    assert known() == ["bad/a", "idle/6", "well/a"]
    for number in range(6):
        succeed(of(f"well/{number}"))
    assert known() == ["bad/a", "well/5"]
    for number in range(8):
        fail(of(f"bad/{number}"), times=20)
    assert known() == ["bad/6", "bad/7"]
