"""Several processes on one file: they write side by side, see each other's changes, and clear up after the dead."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cuewire.model.references import Reference
from cuewire.stores.sqlite import SqliteDatabase
from tests.support.store_process import running, start
from tests.support.stores import (
    FileStores,
    HeldClock,
    claiming,
    closing,
    draft,
    opened_file,
    opening,
    published,
    stores_on,
)


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[FileStores]:
    async with opened_file(tmp_path) as stores:
        await published(stores)
        yield stores


async def again(stores: FileStores) -> SqliteDatabase:
    """Open the same file a second time, as a process that starts would."""
    return await SqliteDatabase.open(stores.database.path, clock=HeldClock())


@pytest.mark.contract("S1-09")
async def test_three_processes_write_side_by_side_and_nothing_is_lost(stores: FileStores) -> None:
    writers = [start(stores.url, "write", "60") for _ in range(3)]

    answers = [await asyncio.to_thread(writer.communicate, "") for writer in writers]

    written = [one for answer, _ in answers for one in answer.split()]
    page = await stores.executions.list(limit=1_000)
    assert len(written) == 180
    assert {one.id for one in page.items if one.success} == set(written)
    assert await stores.database.check() == []


async def test_processes_that_start_together_make_one_database(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    starters = [start(f"sqlite:///{path}", "write", "0") for _ in range(6)]

    ends = [(await asyncio.to_thread(starter.communicate, ""), starter.returncode) for starter in starters]

    assert [code for _, code in ends] == [0] * 6
    database = await SqliteDatabase.open(path, clock=HeldClock())
    assert await database.check() == []
    await database.close()


async def test_a_label_moved_by_another_process_is_seen(stores: FileStores) -> None:
    await stores.prompts.publish(draft(text="two"))
    assert await stores.database.changed() is False

    with running(stores.url, "label", "greet", "production", "2") as (_, answer):
        changed = [await stores.database.changed(), await stores.database.changed()]

    assert answer == ["done"]
    assert changed == [True, False]
    assert (await stores.prompts.resolve(Reference(name="greet"))).number == 2


async def test_what_this_process_writes_is_no_change_by_another(stores: FileStores) -> None:
    await stores.database.changed()
    await stores.prompts.publish(draft(text="two"))

    assert await stores.database.changed() is False


async def test_what_a_dead_process_left_running_is_interrupted_at_the_next_opening(stores: FileStores) -> None:
    with running(stores.url, "open") as (_, answer):
        alive = await again(stores)
        during = await stores.executions.get(answer[0])
        await alive.close()
    after_death = await again(stores)

    found = await stores_on(after_death, HeldClock()).executions.get(answer[0])
    await after_death.close()

    assert during.status == "running"
    assert (found.status, found.ended_at, found.duration_ms) == ("interrupted", None, None)
    assert (found.error_code, found.error_message) == (
        "interrupted",
        "the process that ran it ended before the execution did",
    )


async def test_a_process_that_stays_can_clear_up_too(stores: FileStores) -> None:
    mine = opening(1)
    stores.recorder.open(mine)
    with running(stores.url, "open") as (_, answer):
        assert await stores.database.interrupt_dead() == 0

    assert await stores.database.interrupt_dead() == 1

    assert (await stores.executions.get(answer[0])).status == "interrupted"
    assert (await stores.executions.get(mine.id)).status == "running"


async def test_locks_of_the_dead_are_removed_and_those_of_the_living_stay(stores: FileStores) -> None:
    owners = stores.database.path.with_name("cue.db-owners")
    with running(stores.url, "open"):
        await (await again(stores)).close()
        during = len(list(owners.iterdir()))

    await (await again(stores)).close()

    assert during == 2
    assert [path.name for path in owners.iterdir()] == [f"{stores.database.owner.id:016x}"]


async def test_many_that_start_at_once_after_a_death_agree(stores: FileStores) -> None:
    with running(stores.url, "open") as (_, answer):
        pass

    databases = await asyncio.gather(*(again(stores) for _ in range(8)))

    assert (await stores.executions.get(answer[0])).status == "interrupted"
    for database in databases:
        await database.close()


async def test_two_openings_with_one_chance_number_are_two_owners(stores: FileStores) -> None:
    class SameChance(HeldClock):
        def random_bits(self) -> int:
            return 7

    databases = [await SqliteDatabase.open(stores.database.path, clock=SameChance()) for _ in range(3)]
    running_one = opening(1)
    stores_on(databases[0], HeldClock()).recorder.open(running_one)
    await databases[0].settle()

    assert [database.owner.id for database in databases] == [7, 8, 9]
    await databases[2].close()
    assert await databases[1].interrupt_dead() == 0
    for database in databases[:2]:
        await database.close()


async def test_the_key_of_a_process_that_died_meanwhile_is_taken_over(stores: FileStores) -> None:
    with running(stores.url, "claim") as (_, answer):
        held = await stores.recorder.claim(claiming(1))
    row = claiming(1)

    assert held == answer[0]
    assert await stores.recorder.claim(row) is None

    assert (await stores.executions.get(answer[0])).status == "interrupted"
    assert (await stores.executions.get(row.id)).idempotency_key == "key-1"


async def test_another_process_sees_a_finished_record_at_once(stores: FileStores) -> None:
    other = await again(stores)
    row = opening(1)
    stores.recorder.open(row)
    await stores.recorder.close(closing(row.id))

    assert (await stores_on(other, HeldClock()).executions.get(row.id)).status == "succeeded"
    await other.close()


async def test_opening_a_database_loads_neither_alembic_nor_the_asynchronous_engine() -> None:
    probe = (
        "import sys, cuewire.stores.sqlite, cuewire.stores.record_writer, cuewire.stores.prompts; print(*sys.modules)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", probe, stdout=asyncio.subprocess.PIPE)
    loaded, _ = await process.communicate()

    assert not set(loaded.decode().split()) & {"alembic", "sqlalchemy.ext.asyncio", "sqlalchemy.orm", "aiosqlite"}
