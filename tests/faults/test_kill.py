"""kill -9 at named points: what was acknowledged is there, and nothing stays open for ever."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import cuewire
from cuewire.stores.postgres import PostgresDatabase
from cuewire.wiring import connect
from tests.support import postgres
from tests.support.stores import HeldClock

POINTS = ["open.before_commit", "open.after_commit", "call.middle", "close.before_commit", "close.after_commit"]


async def prepared(url: str) -> None:
    app = await connect(url)
    await app.prompts.publish("sentiment", "Is this good or bad? {{ text }}", output=["positive", "negative"])
    await app.close()


def killed(url: str, point: str, times: int) -> list[str]:
    """Run the victim until it is dead; return the ids of the executions whose results it had."""
    victim = [sys.executable, "-m", "tests.faults.victim", url, point, str(times)]
    ended = subprocess.run(victim, stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    assert ended.returncode == -9, f"the victim reached {point} fewer than {times} times"
    return ended.stdout.split()[1:]


def integrity(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


async def assert_survives(path: Path, point: str, times: int) -> None:
    url = f"sqlite:///{path}"
    await prepared(url)

    acknowledged = killed(url, point, times)

    assert integrity(path) == "ok"
    await assert_kept(url, point, acknowledged)


async def assert_kept(url: str, point: str, acknowledged: list[str]) -> None:
    async with cuewire.open(url) as app:
        page = await app.executions.list(limit=1_000)
        by_id = {execution.id: execution for execution in page.items}
        assert {by_id[id_].status for id_ in acknowledged} <= {"succeeded"}
        assert {execution.status for execution in page.items} <= {"succeeded", "interrupted"}
        unacknowledged = [execution for execution in page.items if execution.id not in acknowledged]
        assert len(unacknowledged) <= 1
        if point in ("open.after_commit", "call.middle"):
            assert [execution.status for execution in unacknowledged] == ["interrupted"]
        if point == "close.after_commit":
            assert [execution.status for execution in unacknowledged] == ["succeeded"]
        assert (await app.run("sentiment", {"text": "good"}, model="scripted/echo")).value == "positive"


@pytest.mark.contract("S1-15")
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("times", [1, 2, 9])
async def test_what_was_acknowledged_survives_and_what_was_open_is_interrupted(
    tmp_path: Path, point: str, times: int
) -> None:
    await assert_survives(tmp_path / "cue.db", point, times)


@pytest.mark.contract("S1-15")
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("times", [1, 9])
async def test_on_postgresql_too(point: str, times: int) -> None:
    async with postgres.database() as url:
        await prepared(url)
        acknowledged = killed(url, point, times)
        await postgres.run("UPDATE owners SET beat_at = beat_at - interval '1 minute'", url=url)
        database = await PostgresDatabase.open(url, clock=HeldClock())
        await database.interrupt_dead()
        await database.close()

        await assert_kept(url, point, acknowledged)


@pytest.mark.soak
@pytest.mark.parametrize("point", POINTS)
async def test_fifty_rounds_of_it(tmp_path: Path, point: str) -> None:
    for times in range(1, 51):
        await assert_survives(tmp_path / f"{times}.db", point, times)

    assert integrity(tmp_path / "50.db") == "ok"
