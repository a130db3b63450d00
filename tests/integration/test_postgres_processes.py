"""Several processes on one PostgreSQL database: they write side by side, hear of changes, clear up after the dead."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from cuewire.model.references import Reference
from cuewire.stores.postgres import PostgresDatabase
from tests.support import postgres
from tests.support.store_process import running, said, start
from tests.support.stores import (
    HeldClock,
    ServerStores,
    claiming,
    closing,
    draft,
    opened_on_server,
    opening,
    published,
    stores_on,
)

SILENCE = "UPDATE owners SET beat_at = beat_at - interval '1 minute' WHERE id != {}"
"""What an owner's row looks like a minute after it died."""


@pytest.fixture
async def stores() -> AsyncIterator[ServerStores]:
    async with opened_on_server() as stores:
        await published(stores)
        yield stores


async def again(stores: ServerStores) -> PostgresDatabase:
    """Open the same database a second time, as a process that starts would."""
    return await PostgresDatabase.open(stores.url, clock=HeldClock())


async def a_minute_later(stores: ServerStores) -> None:
    await postgres.run(SILENCE.format(stores.database.owner_id), url=stores.url)


@pytest.mark.contract("S1-09")
async def test_three_processes_write_side_by_side_and_nothing_is_lost(stores: ServerStores) -> None:
    writers = [start(stores.url, "write", "60") for _ in range(3)]

    answers = [await asyncio.to_thread(writer.communicate, "") for writer in writers]

    written = [one for answer, _ in answers for one in answer.split()]
    page = await stores.executions.list(limit=1_000)
    assert len(written) == 180
    assert {one.id for one in page.items if one.success} == set(written)


async def test_processes_that_start_together_make_one_schema() -> None:
    async with postgres.database(is_empty=True) as url:
        starters = [start(url, "write", "0") for _ in range(4)]

        ends = [(await asyncio.to_thread(starter.communicate, ""), starter.returncode) for starter in starters]

        assert [code for _, code in ends] == [0] * 4
        assert await postgres.run("SELECT id FROM owners", url=url) == []


async def test_a_label_moved_by_another_process_is_heard(stores: ServerStores) -> None:
    await stores.prompts.publish(draft(text="two"))
    assert await stores.database.changed() is False
    begun = monotonic()

    with running(stores.url, "label", "greet", "production", "2") as (_, answer):
        while not await stores.database.changed():  # noqa: ASYNC110  # the word comes from outside
            await asyncio.sleep(0.001)

    assert answer == ["done"]
    assert monotonic() - begun < 3 * 1.0
    assert await stores.database.changed() is False
    assert (await stores.prompts.resolve(Reference(name="greet"))).number == 2


async def test_a_prompt_changed_by_another_program_is_heard(stores: ServerStores) -> None:
    before = await stores.database.changed()
    await postgres.run("UPDATE labels SET moved_at = now()", url=stores.url)

    async with asyncio.timeout(3):
        while not await stores.database.changed():  # noqa: ASYNC110  # the word comes from outside
            await asyncio.sleep(0.001)

    assert before is False


async def test_what_this_process_writes_is_no_change_by_another(stores: ServerStores) -> None:
    await stores.prompts.publish(draft(text="two"))
    await stores.executions.list(limit=1)  # a trip to the server and back: what was to be heard is heard

    assert await stores.database.changed() is False


async def test_what_a_dead_process_left_running_is_interrupted(stores: ServerStores) -> None:
    mine = opening(1)
    stores.recorder.open(mine)
    await stores.database.settle()
    with running(stores.url, "open") as (_, answer):
        during_life = await stores.database.interrupt_dead()
    after_death = await stores.database.interrupt_dead()
    await a_minute_later(stores)

    assert await stores.database.interrupt_dead() == 1

    found = await stores.executions.get(answer[0])
    assert (during_life, after_death) == (0, 0)  # a silence of seconds tells nothing
    assert (found.status, found.ended_at, found.duration_ms) == ("interrupted", None, None)
    assert (found.error_code, found.error_message) == (
        "interrupted",
        "the process that ran it ended before the execution did",
    )
    assert (await stores.executions.get(mine.id)).status == "running"


async def test_a_process_that_ends_in_order_leaves_no_owner(stores: ServerStores) -> None:
    other = await again(stores)
    await other.close()

    assert await postgres.run("SELECT id FROM owners", url=stores.url) == [(stores.database.owner_id,)]


async def test_an_end_that_comes_after_its_owner_was_taken_for_dead_changes_nothing(stores: ServerStores) -> None:
    other = await again(stores)
    zombie = stores_on(other, HeldClock())
    row = opening(1)
    zombie.recorder.open(row)
    await other.settle()
    await a_minute_later(stores)
    await stores.database.interrupt_dead()

    with pytest.raises(Exception, match="has ended already"):
        await zombie.recorder.close(closing(row.id))

    found = await stores.executions.get(row.id)
    assert (found.status, found.calls) == ("interrupted", ())
    await other.close()


async def test_two_openings_with_one_chance_number_are_two_owners(stores: ServerStores) -> None:
    class SameChance(HeldClock):
        def random_bits(self) -> int:
            return 7

    databases = [await PostgresDatabase.open(stores.url, clock=SameChance()) for _ in range(3)]

    assert [database.owner_id for database in databases] == [7, 8, 9]
    for database in databases:
        await database.close()


async def test_the_key_of_a_process_that_died_is_taken_over(stores: ServerStores) -> None:
    with running(stores.url, "claim") as (_, answer):
        held = await stores.recorder.claim(claiming(1))
    await a_minute_later(stores)
    await stores.database.interrupt_dead()
    row = claiming(1)

    assert held == answer[0]
    assert await stores.recorder.claim(row) is None

    assert (await stores.executions.get(answer[0])).status == "interrupted"
    assert (await stores.executions.get(row.id)).idempotency_key == "key-1"


async def test_of_many_claims_in_many_processes_one_wins(stores: ServerStores) -> None:
    claimers = [start(stores.url, "claim") for _ in range(4)]

    answers = [await asyncio.to_thread(said, claimer) for claimer in claimers]
    for claimer in claimers:
        await asyncio.to_thread(claimer.communicate, "")

    assert len({holder for (holder,) in answers}) == 1


async def test_another_process_sees_a_finished_record_at_once(stores: ServerStores) -> None:
    other = await again(stores)
    row = opening(1)
    stores.recorder.open(row)
    await stores.recorder.close(closing(row.id))

    assert (await stores_on(other, HeldClock()).executions.get(row.id)).status == "succeeded"
    await other.close()


async def test_opening_a_file_loads_nothing_of_postgresql() -> None:
    probe = "import sys, cuewire.stores.sqlite, cuewire.stores.record_writer, cuewire.wiring; print(*sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", probe, stdout=asyncio.subprocess.PIPE)
    loaded, _ = await process.communicate()

    assert not set(loaded.decode().split()) & {"asyncpg", "greenlet", "sqlalchemy.dialects.postgresql"}
