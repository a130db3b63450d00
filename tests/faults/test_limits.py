"""Providers that complain, over real HTTP: no call arrives earlier than allowed, and none is made that cannot help."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import AuthenticationFailed, LimitReached, ProviderError, RateLimited
from tests.support.model_server import Action, Wait
from tests.support.policy_models import Desk, opened, said

MODEL, OTHER = "openai/gpt-4o-mini", "openai/gpt-4o"
EARLY_S = 0.005
"""What clocks may differ by."""


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


async def publish(app: cuewire.App, name: str = "triage", *, model: str = MODEL, **policy: Any) -> None:
    await app.prompts.publish(name, "Bug?", model=model, policy={"retry": {"max_retries": 0}, **policy})


def once(first: Sequence[Action]) -> Callable[[Mapping[str, Any]], Sequence[Action]]:
    """Answer the first request so, and all others well."""
    ahead = [first]
    return lambda _: ahead.pop() if ahead else said("fine")


def too_many(**headers: str) -> list[Action]:
    return said("slow down", status=429, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def limit(app: cuewire.App, name: str = "openai") -> Any:
    return next(state for state in await app.limits.list() if state.name == name)


@pytest.mark.parametrize(
    ("header", "least_s"),
    [
        ({"Retry_After": "0.6"}, 0.6),
        ({"retry_after_ms": "600", "Retry_After": "9"}, 0.6),
        ({}, 1.0),  # as a date, of which a part of a second is cut
    ],
)
async def test_a_wait_that_one_call_is_asked_for_holds_for_all_of_its_key(
    desk: Desk, tmp_path: Path, header: dict[str, str], least_s: float
) -> None:
    def reply(_: object) -> list[Action]:
        at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
        date = {"Retry_After": format_datetime(at, usegmt=True)}
        return said("fine") if len(desk.received) > 1 else too_many(**(header or date))

    desk.reply = reply
    async with opened(desk, tmp_path) as app:
        await publish(app)
        await publish(app, "other", model=OTHER)
        with pytest.raises(RateLimited):
            await app.run("triage")

        results = await asyncio.gather(*(app.run(name) for name in ("triage", "other") * 10))
        records = [await app.executions.get(result.id) for result in results]

    assert len(desk.at) == 21
    assert min(desk.at[1:]) >= desk.at[0] + least_s - EARLY_S
    assert all(record.calls[0].delay_ms > least_s * 900 for record in records)
    assert all(record.calls[0].duration_ms < 500 for record in records)


async def test_calls_that_have_less_time_fail_over_at_once_and_the_key_is_left_alone(
    desk: Desk, tmp_path: Path
) -> None:
    desk.reply = lambda asked: too_many(Retry_After="30") if asked["model"] == "gpt-4o-mini" else said("fine")
    async with opened(desk, tmp_path, CUEWIRE_PROVIDERS__BACKUP__BASE_URL=desk.url) as app:
        failover = {"strategy": "next_by_priority", "delay_ms": 0}
        bound = [{"model": MODEL, "priority": 2}, {"model": "backup/large", "priority": 1}]
        await app.prompts.publish(
            "triage", "Bug?", policy={"models": bound, "failover": failover, "candidate_timeout_s": 5}
        )
        await publish(app, "hurried")
        first = await app.run("triage")
        results = await asyncio.gather(*(app.run("triage") for _ in range(10)))
        began = asyncio.get_running_loop().time()
        with pytest.raises(LimitReached) as refused:
            await app.run("hurried", timeout_s=3)
        took_s = asyncio.get_running_loop().time() - began
        record = await app.executions.get(refused.value.execution_id or "")
        seen = await limit(app)

    assert {result.model for result in [first, *results]} == {"backup/large"}
    assert desk.models == {"gpt-4o-mini": 1, "large": 11}
    assert took_s < 2.5
    assert (record.status, record.error_code, record.calls, record.cost_usd) == ("failed", "limit_reached", (), 0.0)
    assert 20 < (refused.value.retry_after_s or 0) <= 30
    assert (seen.hold, seen.refused) == ("paused", 11)


async def test_a_wait_without_end_is_cut(desk: Desk, tmp_path: Path) -> None:
    desk.reply = once(too_many(Retry_After="1000000000"))
    async with opened(desk, tmp_path) as app:
        await publish(app)
        with pytest.raises(RateLimited):
            await app.run("triage")

        seen = await limit(app)

    assert (seen.hold, 110 < seen.held_for_s <= 120) == ("paused", True)


async def test_a_burst_beyond_a_limit_is_put_off_and_no_run_of_it_is_lost(desk: Desk, tmp_path: Path) -> None:
    """Of more runs than there are retries in the budget each is refused, by a provider that says when to come back."""
    runs = 100
    desk.reply = lambda _: too_many(retry_after_ms="200") if len(desk.received) <= runs else said("fine")
    async with opened(desk, tmp_path) as app:
        await publish(app, retry={"max_retries": 3, "delay_ms": 10})

        results = await asyncio.gather(*(app.run("triage") for _ in range(runs)))
        records = [await app.executions.get(result.id) for result in results]

    assert [result.text for result in results] == ["fine"] * runs
    assert len(desk.received) == 2 * runs
    assert {tuple(call.status for call in record.calls) for record in records} == {("failed", "ok")}


async def test_a_storm_of_complaints_makes_few_more_calls_and_fewer_at_a_time_and_passes(
    desk: Desk, tmp_path: Path
) -> None:
    runs, is_storm = 400, [True]
    desk.reply = lambda _: [Wait(0.05), *(too_many() if is_storm else said("fine"))]
    async with opened(desk, tmp_path) as app:
        await publish(app, retry={"max_retries": 3, "delay_ms": 10})
        ended = await asyncio.gather(*(app.run("triage") for _ in range(runs)), return_exceptions=True)
        amplification, slowed = len(desk.received) / runs, await limit(app)
        is_storm.clear()
        results = await asyncio.gather(*(app.run("triage") for _ in range(100)))
        healing = await limit(app)

    assert {type(error) for error in ended} == {RateLimited}
    assert amplification <= 1.2 + 10 / runs
    assert (slowed.hold, slowed.at_once <= runs / 2) == ("slowed", True)
    assert {result.text for result in results} == {"fine"}
    assert (healing.at_once or runs) > slowed.at_once
    assert (healing.waiting, healing.running) == (0, 0)


async def test_a_key_that_is_not_accepted_is_used_once_and_everybody_learns_what_to_do(
    desk: Desk, tmp_path: Path
) -> None:
    desk.reply = lambda _: said("bad key", status=401)
    async with opened(desk, tmp_path) as app:
        await publish(app)
        await publish(app, "other", model=OTHER)
        with pytest.raises(AuthenticationFailed):
            await app.run("triage")

        ended = await asyncio.gather(*(app.run("other") for _ in range(20)), return_exceptions=True)
        seen = await limit(app)

    assert len(desk.received) == 1
    for error in ended:
        assert isinstance(error, AuthenticationFailed)
        assert error.message == "provider 'openai' is not asked, as it does not accept the key (401)"
        assert error.hint.startswith("check the key in OPENAI_API_KEY; it is tried again in ")
    assert (seen.hold, seen.refused, "does not accept the key" in seen.reason) == ("key_refused", 20, True)


async def test_a_model_that_a_key_may_not_use_is_left_alone_and_others_are_asked(desk: Desk, tmp_path: Path) -> None:
    desk.reply = lambda asked: said("no", status=403) if asked["model"] == "gpt-4o" else said("fine")
    async with opened(desk, tmp_path) as app:
        await publish(app)
        await publish(app, "other", model=OTHER)

        for _ in range(3):
            with pytest.raises(AuthenticationFailed):
                await app.run("other")
            assert (await app.run("triage")).text == "fine"

    assert desk.models == {"gpt-4o": 1, "gpt-4o-mini": 3}


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_what_is_wrong_with_a_request_says_nothing_of_the_key(desk: Desk, tmp_path: Path, status: int) -> None:
    desk.reply = once(said("no", status=status))
    async with opened(desk, tmp_path) as app:
        await publish(app)
        with pytest.raises(ProviderError):
            await app.run("triage")

        assert (await app.run("triage")).text == "fine"
        assert (await limit(app)).hold == "none"


async def test_requests_arrive_no_faster_than_their_rate_and_a_burst(desk: Desk, tmp_path: Path) -> None:
    per_s, room = 4, 20
    async with opened(desk, tmp_path, CUEWIRE_PROVIDERS__OPENAI__REQUESTS_PER_MINUTE="240") as app:
        await publish(app)

        began = asyncio.get_running_loop().time()
        results = await asyncio.gather(*(app.run("triage") for _ in range(room + 8)))
        refused = asyncio.gather(*(app.run("triage", timeout_s=0.1) for _ in range(5)), return_exceptions=True)
        ended = await refused

    late = sorted(desk.at)[room:]
    assert all(at >= began + place / per_s - EARLY_S for place, at in enumerate(late, 1))
    assert {type(error) for error in ended} == {LimitReached}
    assert len(desk.received) == len(results) == room + 8


async def test_no_more_calls_run_at_a_time_than_the_provider_all_and_a_model_may_have(
    desk: Desk, tmp_path: Path
) -> None:
    desk.holds = lambda _: True
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "cuewire.toml").write_text(f'[models."{OTHER}"]\nmax_concurrency = 1\n')
    most = {"CUEWIRE_PROVIDERS__OPENAI__MAX_CONCURRENCY": "3", "CUEWIRE_MAX_CALLS_AT_ONCE": "4"}
    async with opened(desk, folder, **most) as app:
        await publish(app)
        await publish(app, "other", model=OTHER)
        runs = [asyncio.ensure_future(app.run(name)) for name in ["triage"] * 6 + ["other"] * 3]
        await desk.until(3)
        for ended in range(9):
            await desk.until(ended + 1)
            desk.release()
        await asyncio.gather(*runs)

    assert desk.peak == 3
    assert desk.models == {"gpt-4o-mini": 6, "gpt-4o": 3}


async def test_a_call_that_waited_while_another_candidate_took_the_last_one_is_not_made(
    desk: Desk, tmp_path: Path
) -> None:
    desk.reply = once([Wait(0.2), *said("down", status=500)])
    policy: dict[str, Any] = {
        "parallel": {"mode": "static_count", "count": 2},
        "retry": {"max_retries": 1, "delay_ms": 0, "jitter": False},
        "max_calls": 2,
    }
    async with opened(desk, tmp_path, CUEWIRE_PROVIDERS__OPENAI__MAX_CONCURRENCY="1") as app:
        await publish(app, **policy)

        result = await app.run("triage")
        seen = await limit(app)

    errors = sorted(candidate.error_message or "" for candidate in result.candidates)
    assert (len(desk.received), result.text, errors[0]) == (2, "fine", "")
    assert errors[1].startswith("the execution has made as many calls as its plan allows")
    assert (seen.running, seen.waiting) == (0, 0)


async def test_a_candidate_waits_no_longer_than_its_own_time_even_if_the_run_has_more(
    desk: Desk, tmp_path: Path
) -> None:
    desk.reply = once(too_many(Retry_After="30"))
    async with opened(desk, tmp_path) as app:
        await publish(app, candidate_timeout_s=2)
        with pytest.raises(RateLimited):
            await app.run("triage")

        with pytest.raises(LimitReached):
            await app.run("triage", timeout_s=60)

    assert len(desk.received) == 1
