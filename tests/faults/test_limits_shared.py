"""Processes that count their calls together, in Redis and in PostgreSQL, also while that is away."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

import cuewire
from tests.support import postgres
from tests.support.policy_models import Desk, opened
from tests.support.redis_server import redis_server

PER_S, ROOM, BURST = 4, 20, 24
"""What 240 requests a minute come to."""
EARLY_S = 0.005


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@asynccontextmanager
async def processes(desk: Desk, folder: Path, count: int, **settings: str) -> AsyncIterator[list[cuewire.App]]:
    """Open an App for each of several processes, each on a file of its own unless the settings say another database."""
    settings = {"CUEWIRE_PROVIDERS__OPENAI__REQUESTS_PER_MINUTE": "240", **settings}
    async with AsyncExitStack() as stack:
        apps = []
        for number in range(count):
            own = folder / str(number)
            own.mkdir()
            app = await stack.enter_async_context(opened(desk, own, **settings))
            if not number or "CUEWIRE_DATABASE_URL" not in settings:
                await app.prompts.publish("triage", "Bug?", model="openai/gpt-4o-mini")
            apps.append(app)
        yield apps


async def limit(app: cuewire.App) -> Any:
    return next(state for state in await app.limits.list() if state.name == "openai")


@contextmanager
def frozen(url: str) -> Iterator[None]:
    """Let a Redis server stand still."""
    with Redis.from_url(url) as client:
        process: int = client.info()["process_id"]
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def check_arrivals(desk: Desk, began: float, *, burst: int = BURST) -> None:
    """See that no request arrived earlier than the rate and one burst allow."""
    late = sorted(desk.at)[burst:]
    assert all(at >= began + place / PER_S - EARLY_S for place, at in enumerate(late, 1))


@pytest.mark.parametrize("kind", ["redis", "postgres"])
async def test_several_processes_keep_to_one_rate_together(
    desk: Desk, tmp_path: Path, kind: str, redis_url: str
) -> None:
    async with AsyncExitStack() as stack:
        if kind == "redis":
            settings = {"CUEWIRE_REDIS_URL": redis_url}
        else:
            settings = {"CUEWIRE_DATABASE_URL": await stack.enter_async_context(postgres.database())}
        apps = await stack.enter_async_context(processes(desk, tmp_path, 3, **settings))
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(app.run("triage") for _ in range(10) for app in apps))
        seen = [(await limit(app)).counted for app in apps]

    assert len(desk.received) == 30
    assert seen == ["shared"] * 3
    check_arrivals(desk, began)


async def test_a_process_goes_on_with_its_share_while_redis_stands_still_and_shares_again_after(
    desk: Desk, tmp_path: Path, redis_url: str
) -> None:
    async with processes(desk, tmp_path, 2, CUEWIRE_REDIS_URL=redis_url) as apps:
        await asyncio.gather(*(app.run("triage") for app in apps))
        await asyncio.gather(*(app.run("triage") for app in apps))
        with frozen(redis_url):
            began = asyncio.get_running_loop().time()
            before = len(desk.received)
            results = await asyncio.gather(*(apps[0].run("triage") for _ in range(13)))
            away = await limit(apps[0])
            late = sorted(desk.at[before:])
        async with asyncio.timeout(60):
            while (await limit(apps[0])).counted != "shared":
                await apps[0].run("triage")

    assert {result.text for result in results} == {"fine"}
    assert away.counted == "share"
    share_burst = BURST // 2 + 2  # what was booked before is used too
    assert all(at >= began + place / (PER_S / 2) - EARLY_S for place, at in enumerate(late[share_burst:], 1))


async def test_without_redis_from_the_start_each_process_counts_for_itself(
    desk: Desk, tmp_path: Path, redis_url: str
) -> None:
    with Redis.from_url(redis_url) as client:
        client.shutdown(nosave=True)

    async with processes(desk, tmp_path, 1, CUEWIRE_REDIS_URL=redis_url) as (app,):
        results = await asyncio.gather(*(app.run("triage") for _ in range(5)))
        seen = await limit(app)

    assert (len(results), seen.counted) == (5, "share")


async def test_redis_is_not_asked_for_anything_where_no_rate_is_set(desk: Desk, tmp_path: Path, redis_url: str) -> None:
    settings = {"CUEWIRE_REDIS_URL": redis_url}
    async with opened(desk, tmp_path, CUEWIRE_PROVIDERS__OPENAI__MAX_CONCURRENCY="2", **settings) as app:
        await app.prompts.publish("triage", "Bug?", model="openai/gpt-4o-mini")
        await app.run("triage")
        seen = await limit(app)
    with Redis.from_url(redis_url) as client:
        keys = client.keys("cuewire:limit*")

    assert (seen.counted, keys) == ("here", [])
