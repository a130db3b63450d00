"""Several processes that ask the same at the same time make one call, where they can agree in Redis."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from cuewire.caches.redis_leases import LEASE_S
from tests.support import postgres
from tests.support.policy_models import KEY, Desk, opened
from tests.support.redis_server import redis_server

PROCESSES, RUNS = 3, 1_000


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    async with desk:
        desk.holds = lambda _: True
        yield desk


async def start(folder: Path, times: int, **environment: str) -> Process:
    command = [sys.executable, "-m", "tests.support.asking_process", str(folder), "triage", str(times)]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, env={**os.environ, **environment})
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def answers(process: Process) -> Counter[str]:
    out, _ = await process.communicate()
    assert process.returncode == 0
    return Counter(json.loads(out))


def go(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")


@pytest.mark.contract("S4-38")
async def test_a_thousand_equal_runs_of_three_processes_make_one_call(
    desk: Desk, tmp_path: Path, redis_url: str
) -> None:
    async with postgres.database() as database:
        shared = {"CUEWIRE_DATABASE_URL": database, "CUEWIRE_REDIS_URL": redis_url}
        mine = {"OPENAI_BASE_URL": desk.url, "OPENAI_API_KEY": KEY, "CUEWIRE_DATA_FOLDER": str(tmp_path)}
        async with opened(desk, tmp_path, **shared) as app:
            await app.prompts.publish("triage", "{{ x }}", model="openai/gpt-4o-mini", policy={"cache": {}})
        processes = [await start(tmp_path, RUNS // PROCESSES, **shared, **mine) for _ in range(PROCESSES)]

        for process in processes:
            go(process)
        await desk.until(1)
        desk.release()
        found = sum([await answers(process) for process in processes], Counter[str]())

    assert found == {"fine": RUNS // PROCESSES * PROCESSES}
    assert len(desk.received) == 1


async def test_who_waits_for_a_process_that_dies_asks_for_themselves(
    desk: Desk, tmp_path: Path, redis_url: str
) -> None:
    shared = {"CUEWIRE_DATABASE_URL": f"sqlite:///{tmp_path}/cue.db", "CUEWIRE_REDIS_URL": redis_url}
    mine = {"OPENAI_BASE_URL": desk.url, "OPENAI_API_KEY": KEY, "CUEWIRE_DATA_FOLDER": str(tmp_path)}
    async with opened(desk, tmp_path, **shared) as app:
        await app.prompts.publish("triage", "{{ x }}", model="openai/gpt-4o-mini", policy={"cache": {}})
        dying = await start(tmp_path, 1, **shared, **mine)
        go(dying)
        await desk.until(1)

        waiting = asyncio.ensure_future(app.run("triage", {"x": "the same"}))
        dying.kill()
        await dying.wait()
        async with asyncio.timeout(3 * LEASE_S):
            await desk.until(2)
        desk.release(2)

    assert (await waiting).text == "fine"


async def test_without_redis_each_process_asks_for_itself(desk: Desk, tmp_path: Path, redis_url: str) -> None:
    desk.holds = lambda _: False
    async with opened(desk, tmp_path, CUEWIRE_REDIS_URL=redis_url.replace("redis.sock", "gone.sock")) as app:
        await app.prompts.publish("triage", "{{ x }}", model="openai/gpt-4o-mini", policy={"cache": {}})
        results = await asyncio.gather(*(app.run("triage", {"x": "the same"}) for _ in range(9)))

    assert {result.text for result in results} == {"fine"}
    assert len(desk.received) == 1
