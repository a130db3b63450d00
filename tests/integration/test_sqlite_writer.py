"""The writer thread: groups, what fails alone and what fails together, waiting, a full disk, many event loops."""

from __future__ import annotations

import asyncio
import resource
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing as ended
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import Connection

from cuewire.model.errors import InvalidInput, StoreBusy, StoreError, StoreFull
from cuewire.model.prompts import EVERY_PROMPT
from cuewire.stores.sqlite import SqliteDatabase
from cuewire.stores.sqlite_file import connect
from tests.support.stores import (
    FileStores,
    HeldClock,
    claiming,
    closing,
    database_file,
    draft,
    opened_file,
    opening,
    published,
    recorded,
    stores_on,
)


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[FileStores]:
    async with opened_file(tmp_path) as stores:
        yield stores


class Points:
    """Notes the points that the writer reaches, and may hold it at one."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.new = threading.Event()

    def __call__(self, point: str) -> None:
        self.reached.append(point)
        self.new.set()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the file as another program that writes."""
    with ended(connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def statuses(path: Path) -> list[str]:
    with ended(connect(path)) as other:
        return [status for (status,) in other.execute("SELECT status FROM executions ORDER BY id")]


async def until(reached: Callable[[], bool]) -> None:
    """Wait until something holds; the time limit of the test is its end."""
    while not reached():  # noqa: ASYNC110  # what is waited for happens in a file
        await asyncio.sleep(0.001)


async def test_a_call_that_takes_its_time_has_its_row_before_its_end(stores: FileStores) -> None:
    row = opening(await published(stores))
    begun = monotonic()

    stores.recorder.open(row)
    await until(lambda: statuses(stores.database.path) == ["running"])

    assert monotonic() - begun < 3 * 0.1
    await stores.recorder.close(closing(row.id))
    assert statuses(stores.database.path) == ["succeeded"]


async def test_a_fast_call_is_written_once(tmp_path: Path) -> None:
    points, clock = Points(), HeldClock()
    database = await SqliteDatabase.open(database_file(tmp_path), clock=clock, checkpoint=points)
    stores = stores_on(database, clock)
    version_id = await published(stores)

    for _ in range(5):
        await recorded(stores, version_id)
    await database.close()

    assert points.reached == ["close.before_commit", "close.after_commit"] * 5


async def test_the_checkpoints_name_what_a_group_holds(tmp_path: Path) -> None:
    points, clock = Points(), HeldClock()
    database = await SqliteDatabase.open(database_file(tmp_path), clock=clock, checkpoint=points)
    stores = stores_on(database, clock)
    row = claiming(await published(stores))

    await stores.recorder.claim(row)
    stores.recorder.open(opening(row.version_id))
    await database.settle()
    await stores.recorder.close(closing(row.id))
    await database.close()

    assert points.reached == [
        *("open.before_commit", "open.after_commit") * 2,
        *("close.before_commit", "close.after_commit"),
    ]


async def test_what_waits_together_is_one_transaction_for_each_group(tmp_path: Path) -> None:
    points, clock = Points(), HeldClock()
    database = await SqliteDatabase.open(database_file(tmp_path), clock=clock, checkpoint=points)
    stores = stores_on(database, clock)
    version_id = await published(stores)

    with held(database.path):
        tasks = [asyncio.ensure_future(recorded(stores, version_id)) for _ in range(1_200)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    await database.close()

    assert 3 <= points.reached.count("close.after_commit") <= 6
    assert statuses(database.path) == ["succeeded"] * 1_200


async def test_closing_the_database_writes_what_is_open(tmp_path: Path) -> None:
    async with opened_file(tmp_path) as stores:
        stores.recorder.open(opening(await published(stores)))

    assert statuses(tmp_path / "cue.db") == ["running"]


async def test_a_function_that_fails_harms_only_itself(stores: FileStores) -> None:
    def fail(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO prompts (id, name, created_at, updated_at) VALUES (77, 'half', 0, 0)")
        raise LookupError("on purpose")

    def overflow(connection: Connection) -> None:
        connection.exec_driver_sql("SELECT ?", (2**63,))

    with held(stores.database.path):
        work = [
            asyncio.ensure_future(stores.prompts.publish(draft("a"))),
            asyncio.ensure_future(stores.database.write(fail)),
            asyncio.ensure_future(stores.database.write(overflow)),
            asyncio.ensure_future(stores.prompts.publish(draft("b"))),
        ]
        await asyncio.sleep(0)
    ends = await asyncio.gather(*work, return_exceptions=True)

    assert [type(end).__name__ for end in ends] == ["PromptVersion", "LookupError", "InvalidInput", "PromptVersion"]
    names = [prompt.name for prompt in (await stores.prompts.list(EVERY_PROMPT, limit=9)).items]
    assert names == ["a", "b"]


async def test_another_writer_is_waited_for(stores: FileStores) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)
    with held(stores.database.path):
        end = asyncio.ensure_future(stores.recorder.close(closing(row.id)))
        finished, _ = await asyncio.wait([end], timeout=0.4)
        assert not finished
        found = await stores.executions.list(limit=1)  # reading goes on

    await end

    assert found.items == ()
    assert statuses(stores.database.path) == ["succeeded"]


async def test_after_five_seconds_of_waiting_the_store_is_busy_and_then_heals(stores: FileStores) -> None:
    version_id = await published(stores)
    row = opening(version_id)
    stores.recorder.open(row)
    begun = monotonic()
    with held(stores.database.path):
        first = asyncio.ensure_future(stores.recorder.close(closing(row.id)))
        await asyncio.sleep(1)
        second = asyncio.ensure_future(stores.prompts.publish(draft("later")))
        with pytest.raises(StoreBusy, match="held by another process; try again"):
            await first
        waited = monotonic() - begun
        assert not second.done()  # each has its own five seconds

    await second
    await stores.recorder.close(closing(row.id))

    assert 4.5 < waited < 5 * 1.2
    assert (await stores.executions.get(row.id)).status == "succeeded"


async def test_the_opening_of_an_execution_outlives_a_busy_database(stores: FileStores) -> None:
    version_id = await published(stores)
    with held(stores.database.path):
        stores.recorder.open(opening(version_id))
        await asyncio.sleep(0.3)

    await until(lambda: statuses(stores.database.path) == ["running"])

    assert (await stores.executions.list(limit=1)).items[0].status == "running"


async def test_a_full_disk_refuses_writes_serves_reads_and_heals(stores: FileStores) -> None:
    version_id = await published(stores)
    kept = await recorded(stores, version_id)
    row = opening(version_id)
    await stores.database.write(lambda connection: _limit_pages(connection, 0))
    stores.recorder.open(row)

    with pytest.raises(StoreFull, match=r"cannot grow or be written \(SQLITE_FULL\); make room"):
        await stores.recorder.close(closing(row.id, text="x" * 1_000_000))
    assert (await stores.executions.get(kept)).status == "succeeded"
    await stores.database.write(lambda connection: _limit_pages(connection, 2**30))
    await stores.recorder.close(closing(row.id, text="x" * 1_000_000))

    assert (await stores.executions.get(row.id)).status == "succeeded"
    assert await stores.database.check() == []


async def test_a_record_too_large_for_the_disk_harms_no_small_one_beside_it(stores: FileStores) -> None:
    version_id = await published(stores)
    await stores.database.write(lambda connection: _limit_pages(connection, 16))
    rows = [opening(version_id) for _ in range(6)]
    for row in rows:
        stores.recorder.open(row)
    texts = ["x" * 1_000_000 if number == 2 else "x" for number in range(6)]

    ends = await asyncio.gather(
        *(stores.recorder.close(closing(row.id, text=text)) for row, text in zip(rows, texts, strict=True)),
        return_exceptions=True,
    )

    assert [type(end) for end in ends] == [type(None), type(None), StoreFull, *[type(None)] * 3]


async def test_a_limit_on_the_size_of_files_is_a_full_disk_too(stores: FileStores) -> None:
    version_id = await published(stores)
    row = opening(version_id)
    stores.recorder.open(row)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (stores.database.path.stat().st_size, hard))
    try:
        with pytest.raises(StoreFull):
            await stores.recorder.close(closing(row.id, text="x" * 2_000_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    await stores.recorder.close(closing(row.id, text="x" * 2_000_000))

    assert (await stores.executions.get(row.id)).status == "succeeded"
    assert await stores.database.check() == []


async def test_a_read_only_database_refuses_writes_and_heals(stores: FileStores) -> None:
    version_id = await published(stores)
    row = opening(version_id)
    stores.recorder.open(row)
    await stores.database.write(lambda connection: connection.exec_driver_sql("PRAGMA query_only=ON"))

    with pytest.raises(StoreFull):
        await stores.recorder.close(closing(row.id))
    with pytest.raises(StoreFull):
        await stores.prompts.publish(draft("more"))


async def test_the_writer_survives_whatever_is_thrown_at_it(stores: FileStores) -> None:
    version_id = await published(stores)

    def explode(connection: Connection) -> None:
        connection.exec_driver_sql("DELETE FROM labels")
        raise KeyboardInterrupt

    with pytest.raises(StoreError, match="was stopped by KeyboardInterrupt"):
        await stores.database.write(explode)

    assert (await stores.executions.get(await recorded(stores, version_id))).status == "succeeded"


async def test_a_caller_that_is_cancelled_leaves_its_record_to_be_written(stores: FileStores) -> None:
    version_id = await published(stores)
    row = opening(version_id)
    stores.recorder.open(row)
    with held(stores.database.path):
        task = asyncio.ensure_future(stores.recorder.close(closing(row.id)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    await stores.database.settle()

    assert (await stores.executions.get(row.id)).status == "succeeded"


@pytest.mark.contract("S1-09", "S1-33")
async def test_threads_with_loops_of_their_own_share_one_database(stores: FileStores) -> None:
    version_id = await published(stores)

    async def many() -> list[str]:
        return await asyncio.gather(*(recorded(stores, version_id) for _ in range(40)))

    made = await asyncio.gather(*(asyncio.to_thread(asyncio.run, many()) for _ in range(5)))

    page = await stores.executions.list(limit=1_000)
    assert {one.id for one in page.items if one.success} == {one for ids in made for one in ids}
    assert len(page.items) == 200


async def test_a_loop_that_is_gone_takes_nothing_with_it(stores: FileStores) -> None:
    version_id = await published(stores)
    row = opening(version_id)

    async def leave() -> None:
        stores.recorder.open(row)
        lost = asyncio.ensure_future(stores.recorder.close(closing(row.id)))
        await asyncio.sleep(0)
        assert not lost.done()

    with held(stores.database.path):
        await asyncio.to_thread(asyncio.run, leave())
    await stores.database.settle()

    assert (await stores.executions.get(row.id)).status == "succeeded"


async def test_a_number_that_no_column_holds_is_the_callers_fault(stores: FileStores) -> None:
    row = opening(2**70)
    stores.recorder.open(row)

    with pytest.raises(InvalidInput, match="64 bits"):
        await stores.recorder.close(closing(row.id))
    with pytest.raises(StoreError):
        await stores.recorder.close(closing(opening(1).id))


def _limit_pages(connection: Connection, more: int) -> None:
    used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count={used + more}")
