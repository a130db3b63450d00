"""The way to one provider, step by step: how many calls it takes after complaints, and what is told of it."""

from __future__ import annotations

import asyncio
import logging

import pytest

from cuewire.engine.lane import CLEAN_S, PROBE_S, Ceiling, Lane
from cuewire.model.errors import AuthenticationFailed, LimitReached, RateLimited
from cuewire.model.limits import Limit, LimitState
from tests.support.virtual_time import VirtualClock, virtually

NOT_ACCEPTED = AuthenticationFailed("the key is wrong", hint="check the key", status=401, provider_code="invalid_key")
MORE_TIME = "allow the run more time, make fewer calls at once, or raise the limit"


def complained(running: int, *, now: float = 0.0) -> Ceiling:
    """Return the ceiling of a provider that complained once."""
    ceiling = Ceiling()
    ceiling.complained(running, period=ceiling.period, now=now)
    return ceiling


def raised(ceiling: Ceiling, successes: int, *, now: float = 1.0) -> list[int | None]:
    """Return the ceiling after each of so many successes."""
    found = []
    for _ in range(successes):
        ceiling.succeeded(now)
        found.append(ceiling.most)
    return found


def test_complaints_of_calls_that_left_in_the_same_period_halve_it_once() -> None:
    ceiling = Ceiling()
    periods = [ceiling.period]

    for _ in range(3):
        for _ in range(2):
            ceiling.complained(16, period=periods[-1], now=0.0)
        periods.append(ceiling.period)

    assert periods == [0, 1, 2, 3]
    assert ceiling.most == 2


def test_fewer_that_run_than_might_are_what_is_halved() -> None:
    ceiling = complained(16)

    ceiling.complained(4, period=ceiling.period, now=0.0)

    assert ceiling.most == 2


def test_it_rises_by_one_with_each_round_of_successes_and_is_gone_above_what_was_too_many() -> None:
    ceiling = complained(4)

    rises = raised(ceiling, 2 + 3 + 4)

    assert rises == [2, 3, 3, 3, 4, 4, 4, 4, None]


def test_successes_before_a_complaint_do_not_count_for_the_round_after_it() -> None:
    ceiling = complained(8)
    raised(ceiling, 3)

    ceiling.complained(8, period=ceiling.period, now=0.0)

    assert raised(ceiling, 2) == [2, 3]


def test_what_was_too_many_once_is_forgotten_when_the_ceiling_is_gone() -> None:
    ceiling = complained(9)
    rises = raised(ceiling, 60)

    ceiling.complained(1, period=ceiling.period, now=1.0)

    assert rises[-1] is None
    assert [ceiling.most, *raised(ceiling, 1)] == [1, None]


@pytest.mark.parametrize(("waited_s", "rises"), [(CLEAN_S - 1, [10, 10, 10]), (CLEAN_S, [11, 12, 13])])
def test_after_a_minute_without_complaints_each_success_raises_it(waited_s: float, rises: list[int]) -> None:
    ceiling = complained(20, now=100.0)

    assert raised(ceiling, 3, now=100.0 + waited_s) == rises


@virtually
async def test_a_lane_tells_all_that_it_knows() -> None:
    limit = Limit(max_concurrency=7, requests_per_minute=60, tokens_per_minute=900)
    lane = Lane("openai", limit, clock=VirtualClock())

    told = lane.state("here")

    assert told == LimitState(
        name="openai",
        hold="none",
        running=0,
        waiting=0,
        refused=0,
        at_once=7,
        max_concurrency=7,
        requests_per_minute=60,
        tokens_per_minute=900,
        counted="here",
        held_for_s=0.0,
        reason="",
    )


@virtually
async def test_a_pause_is_told_to_its_end_and_everybody_refused_for_it_is_counted() -> None:
    clock = VirtualClock()
    lane = Lane("openai", clock=clock)
    lane.complained(RateLimited("slow down", status=429, retry_after_s=2.5), period=0)
    await asyncio.sleep(2)

    errors = [lane.late(1.0), lane.late(1.0)]
    told = lane.state("here")
    await asyncio.sleep(0.5)
    over = lane.late(1.0)

    assert [(str(each), each.retry_after_s) for each in errors] == [
        (
            "provider 'openai' asked to wait, for 0.5 s more; "
            "allow the run more time, or let it fail over to another provider",
            0.5,
        )
    ] * 2
    assert (told.hold, told.held_for_s, told.refused) == ("paused", 0.5, 2)
    assert (over.retry_after_s, lane.refused) == (None, 3)


@pytest.mark.parametrize(
    ("limit", "running", "why"),
    [
        (Limit(max_concurrency=2), 2, "2 at a time"),
        (Limit(max_concurrency=2), 1, "its limits"),
        (Limit(requests_per_minute=60), 5, "its limits"),
    ],
)
@virtually
async def test_who_waited_in_vain_is_told_for_what_and_what_to_do(limit: Limit, running: int, why: str) -> None:
    lane = Lane("openai", limit, clock=VirtualClock())
    lane.running = running

    late = [lane.late(1.26), lane.late(1.26)]

    assert [str(each) for each in late] == [
        f"calls to 'openai' are held to {why}, and this one waited 1.3 s; {MORE_TIME}"
    ] * 2
    assert (type(late[0]), lane.refused) == (LimitReached, 2)


@virtually
async def test_who_is_refused_for_a_key_learns_what_the_provider_said_of_it() -> None:
    lane = Lane("openai", clock=VirtualClock())
    lane.rejected(NOT_ACCEPTED)
    await asyncio.sleep(PROBE_S - 3)

    refused = []
    for _ in range(2):
        with pytest.raises(AuthenticationFailed) as caught:
            lane.check_key()
        refused.append(caught.value)

    assert [(each.status, each.provider_code) for each in refused] == [(401, "invalid_key")] * 2
    assert refused[0].hint == "check the key; it is tried again in 3 s"
    assert (lane.state("here").reason, lane.refused) == ("the key is wrong", 2)


@virtually
async def test_the_log_tells_of_complaints_and_of_refused_keys(caplog: pytest.LogCaptureFixture) -> None:
    lane = Lane("openai", clock=VirtualClock())
    lane.running = 8

    with caplog.at_level(logging.INFO, logger="cuewire.engine"):
        lane.complained(RateLimited("slow down", status=429, retry_after_s=2.5), period=0)
        lane.rejected(NOT_ACCEPTED)

    assert caplog.messages == [
        "limit.slowed of=openai at_once=4 paused_s=2.5",
        "limit.key_refused of=openai http_status=401",
    ]


@virtually
async def test_what_a_call_may_take_where_tokens_are_unknown_is_what_calls_took_lately() -> None:
    lane = Lane("openai", Limit(tokens_per_minute=600_000), clock=VirtualClock())
    [before] = lane.charges(["x" * 40], {})
    assert lane.tokens is not None
    lane.tokens.used(900, booked=before.amount)

    [after] = lane.charges(["x" * 40], {})

    assert (before.amount < 900, after.amount) == (True, 900)
