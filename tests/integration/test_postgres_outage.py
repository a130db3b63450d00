"""PostgreSQL that goes away and comes back: quick refusals, nothing acknowledged is lost, and no restart is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from time import monotonic

import pytest

from cuewire.model.errors import StoreError, StoreUnavailable
from cuewire.stores.postgres import PostgresDatabase
from tests.support import postgres
from tests.support.stores import (
    HeldClock,
    ServerStores,
    Stores,
    claiming,
    closing,
    draft,
    opened_on_server,
    opening,
    published,
    recorded,
    stores_on,
)

CANARY = "canary-2b7f61"


@pytest.fixture
def server() -> Iterator[postgres.OwnServer]:
    own = postgres.OwnServer()
    yield own
    own.remove()


@pytest.fixture
async def stores(server: postgres.OwnServer) -> AsyncIterator[Stores]:
    database = await PostgresDatabase.open(server.url, clock=HeldClock())
    yield stores_on(database, HeldClock())
    await database.close()


@pytest.fixture
async def shared() -> AsyncIterator[ServerStores]:
    async with opened_on_server() as stores:
        yield stores


@dataclass
class Load:
    """Records executions one after another, and notes what became of each."""

    stores: Stores
    version_id: int
    acknowledged: list[str] = field(default_factory=list)
    refusals_s: list[float] = field(default_factory=list)
    last_success: float = 0.0

    async def run(self, until: asyncio.Event) -> None:
        while not until.is_set():
            begun = monotonic()
            try:
                self.acknowledged.append(await recorded(self.stores, self.version_id))
                self.last_success = monotonic()
            except StoreUnavailable:
                self.refusals_s.append(monotonic() - begun)
            await asyncio.sleep(0.02)


async def test_an_outage_under_load_loses_nothing_and_heals(stores: Stores, server: postgres.OwnServer) -> None:
    load = Load(stores, await published(stores))
    done = asyncio.Event()
    workers = [asyncio.ensure_future(load.run(done)) for _ in range(8)]
    await asyncio.sleep(0.5)

    await asyncio.to_thread(server.stop)
    await asyncio.sleep(2)
    refused = len(load.refusals_s)
    await asyncio.to_thread(server.start)
    back = monotonic()
    while load.last_success < back:  # noqa: ASYNC110  # what is waited for happens in a server
        await asyncio.sleep(0.01)
    healed_s = load.last_success - back
    done.set()
    await asyncio.gather(*workers)

    assert refused > 8
    assert max(load.refusals_s) < 3 * 1.0
    assert healed_s < 10
    found = {one.id for one in (await stores.executions.list(limit=1_000)).items if one.success}
    assert found >= set(load.acknowledged)


async def test_everything_is_refused_quickly_while_the_server_is_away(
    stores: Stores, server: postgres.OwnServer
) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)
    await asyncio.to_thread(server.stop)

    for question in (
        lambda: stores.recorder.close(closing(row.id)),
        lambda: stores.prompts.publish(draft(text="two")),
        lambda: stores.executions.list(limit=1),
        lambda: stores.database.changed(),
    ):
        begun = monotonic()
        with pytest.raises(StoreUnavailable, match="does not answer.*see that the server runs"):
            await question()
        assert monotonic() - begun < 3 * 1.0

    await asyncio.to_thread(server.start)
    async with asyncio.timeout(10):
        while True:
            try:
                await stores.recorder.close(closing(row.id))
                break
            except StoreUnavailable:
                await asyncio.sleep(0.05)
    assert (await stores.executions.get(row.id)).status == "succeeded"
    assert await stores.database.changed() is True  # what was said in between, nobody heard


async def test_an_open_row_outlives_an_outage(stores: Stores, server: postgres.OwnServer) -> None:
    row = opening(await published(stores))
    with server.frozen():
        stores.recorder.open(row)
        await asyncio.sleep(0.1)
        server.kill()

    await asyncio.to_thread(server.start)
    async with asyncio.timeout(10):
        while True:
            try:
                if (await stores.executions.list(limit=1)).items:
                    break
            except StoreUnavailable:
                pass
            await asyncio.sleep(0.05)

    assert (await stores.executions.get(row.id)).status == "running"


async def test_an_end_that_came_during_an_outage_is_stored_after_it(stores: Stores, server: postgres.OwnServer) -> None:
    row = claiming(await published(stores))
    assert await stores.recorder.claim(row) is None
    server.kill()

    with pytest.raises(StoreUnavailable):
        await stores.recorder.close(closing(row.id, text="paid for"))
    with pytest.raises(StoreUnavailable):
        stores.recorder.open(opening(1))
    await asyncio.to_thread(server.start)

    async with asyncio.timeout(10):
        while await status_of(stores, row.id) != "succeeded":  # noqa: ASYNC110  # it happens in a server
            await asyncio.sleep(0.05)
    assert (await stores.executions.get(row.id)).text == "paid for"
    assert await stores.recorder.claim(claiming(1)) == row.id


async def test_connections_that_were_cut_while_idle_are_made_anew_unnoticed(shared: ServerStores) -> None:
    version_id = await published(shared)
    await asyncio.gather(*(shared.executions.list(limit=1) for _ in range(8)))
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'cuewire%'"

    for _ in range(3):
        await postgres.run(end, url=shared.url)
        assert (await shared.executions.list(limit=1_000)).next is None
        await postgres.run(end, url=shared.url)
        await recorded(shared, version_id)
        await postgres.run(end, url=shared.url)
        await shared.prompts.publish(draft("more"))

    assert len((await shared.executions.list(limit=1_000)).items) == 3


async def test_a_server_that_is_not_there_is_refused_with_its_name_and_without_its_password() -> None:
    begun = monotonic()

    with pytest.raises(StoreUnavailable) as refused:
        await PostgresDatabase.open(f"postgresql://ada:{CANARY}@127.0.0.1:1/cue", clock=HeldClock())

    assert monotonic() - begun < 3 * 1.0
    assert "'postgresql://127.0.0.1:1/cue' does not answer" in str(refused.value)
    assert CANARY not in everything(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ada:{CANARY}@127.0.0.1:port/cue",
        f"postgresql://ada:pa:ss/{CANARY}@127.0.0.1/cue",
        f"postgresql://ada:{CANARY}@127.0.0.1/cue?sslmode=sometimes",
        f"postgresql://ada:{CANARY}@[127.0.0.1/cue",
    ],
)
async def test_a_url_that_cannot_be_read_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011  # each in its way
        await PostgresDatabase.open(url, clock=HeldClock())

    assert CANARY not in everything(refused.value)


async def test_a_wrong_database_and_a_wrong_user_are_refused_without_the_password(shared: ServerStores) -> None:
    path = shared.url.partition("?")[2]
    for url, said in (
        (f"postgresql://postgres:{CANARY}@/absent?{path}", 'database "absent" does not exist'),
        (f"postgresql://nobody:{CANARY}@/postgres?{path}", 'role "nobody" does not exist'),
    ):
        with pytest.raises(StoreError) as refused:
            await PostgresDatabase.open(url, clock=HeldClock())

        assert said in str(refused.value)
        assert CANARY not in everything(refused.value)


async def status_of(stores: Stores, execution_id: str) -> str | None:
    """Return the status of an execution, None while the database is away."""
    try:
        return (await stores.executions.get(execution_id)).status
    except StoreUnavailable:
        return None


def everything(error: BaseException | None) -> str:
    """Return all that an error and its causes say."""
    said = ""
    while error:
        said += f"{error!r} {error} {vars(error)}"
        error = error.__cause__ or error.__context__
    return said
