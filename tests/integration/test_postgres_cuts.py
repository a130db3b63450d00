"""A connection that breaks while PostgreSQL commits: what became of it is asked, and nothing is stored twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pytest
from sqlalchemy import Connection, insert, text

from cuewire.model.errors import StoreBusy, StoreError, StoreUnavailable
from cuewire.model.outcomes import Outcome
from cuewire.model.references import Reference
from cuewire.stores.postgres import PostgresDatabase
from cuewire.stores.schema import prompts
from tests.support import postgres
from tests.support.cutting_proxy import CuttingProxy, cutting_proxy
from tests.support.stores import (
    NOON,
    HeldClock,
    Stores,
    claiming,
    closing,
    draft,
    opening,
    published,
    recorded,
    stores_on,
)

When: TypeAlias = Literal["before", "after"]
WHENS: tuple[When, ...] = ("before", "after")


@dataclass(frozen=True)
class Fragile:
    """Stores behind a proxy."""

    stores: Stores
    proxy: CuttingProxy
    url: str


@pytest.fixture
async def fragile() -> AsyncIterator[Fragile]:
    async with postgres.database() as url, cutting_proxy(url) as proxy:
        database = await PostgresDatabase.open(proxy.url, clock=HeldClock())
        yield Fragile(stores_on(database, HeldClock()), proxy, url)
        await database.close()


@pytest.mark.parametrize("when", WHENS)
async def test_the_end_of_a_record_is_stored_once(fragile: Fragile, when: When) -> None:
    stores = fragile.stores
    row = opening(await published(stores))
    stores.recorder.open(row)
    fragile.proxy.cut(when, b"marked answer")

    await stores.recorder.close(closing(row.id, text="marked answer"))

    assert fragile.proxy.cuts == 1
    found = await stores.executions.get(row.id)
    assert (found.status, found.text, len(found.calls)) == ("succeeded", "marked answer", 1)


@pytest.mark.parametrize("when", WHENS)
async def test_a_group_is_stored_once_and_acknowledged_whole(fragile: Fragile, when: When) -> None:
    stores = fragile.stores
    version_id = await published(stores)
    await recorded(stores, version_id)
    fragile.proxy.cut(when, b"scripted/echo")

    made = await asyncio.gather(*(recorded(stores, version_id) for _ in range(100)))

    assert fragile.proxy.cuts == 1
    page = await stores.executions.list(limit=1_000)
    assert {one.id for one in page.items if one.success} >= set(made)
    assert len(page.items) == 101


@pytest.mark.parametrize("when", WHENS)
async def test_an_end_that_another_one_forestalled_is_refused_all_the_same(fragile: Fragile, when: When) -> None:
    stores = fragile.stores
    row = opening(await published(stores))
    stores.recorder.open(row)
    await stores.database.settle()
    await postgres.run("UPDATE executions SET status = 'interrupted'", url=fragile.url)
    fragile.proxy.cut(when, b"marked answer")

    with pytest.raises(StoreError, match="has ended already"):
        await stores.recorder.close(closing(row.id, text="marked answer"))


@pytest.mark.parametrize("when", WHENS)
async def test_a_version_is_published_once(fragile: Fragile, when: When) -> None:
    fragile.proxy.cut(when, b"COMMIT;")

    version = await fragile.stores.prompts.publish(draft())

    assert fragile.proxy.cuts == 1
    assert version.number == 1
    assert len(await fragile.stores.prompts.versions("greet")) == 1


@pytest.mark.parametrize("when", WHENS)
async def test_what_may_not_run_twice_does_not(fragile: Fragile, when: When) -> None:
    def add(connection: Connection) -> None:
        values = {"name": "once", "created_at": NOON, "updated_at": NOON}
        connection.execute(insert(prompts).values(values))

    fragile.proxy.cut(when, b"COMMIT;")
    await fragile.stores.database.write(add)

    assert fragile.proxy.cuts == 1
    assert (await fragile.stores.prompts.get("once")).name == "once"


@pytest.mark.parametrize("when", WHENS)
async def test_a_key_is_claimed_once_and_is_ours(fragile: Fragile, when: When) -> None:
    stores = fragile.stores
    version_id = await published(stores)
    row = claiming(version_id)
    fragile.proxy.cut(when, b"COMMIT;")

    assert await stores.recorder.claim(row) is None

    assert fragile.proxy.cuts == 1
    assert await stores.recorder.claim(claiming(version_id)) == row.id


@pytest.mark.parametrize("when", WHENS)
async def test_a_key_whose_claim_was_in_doubt_is_free_once_the_server_is_back(fragile: Fragile, when: When) -> None:
    stores = fragile.stores
    version_id = await published(stores)
    fragile.proxy.cut(when, b"COMMIT;")
    fragile.proxy.shuts_at_cut = True

    with pytest.raises(StoreUnavailable, match="whether the change was stored is not known"):
        await stores.recorder.claim(row := claiming(version_id))
    fragile.proxy.is_shut = False
    async with asyncio.timeout(5):
        while not fragile.stores.database.is_up:  # noqa: ASYNC110  # what is waited for happens in a server
            await asyncio.sleep(0.01)

    assert await stores.recorder.claim(claiming(version_id)) is None
    found = {one.id: one.status for one in (await stores.executions.list(limit=9)).items}
    assert found.get(row.id) == ("cancelled" if when == "after" else None)


@pytest.mark.parametrize("when", WHENS)
async def test_an_outcome_and_a_question_survive(fragile: Fragile, when: When) -> None:
    stores = fragile.stores
    execution = await recorded(stores, await published(stores))
    fragile.proxy.cut(when, b"COMMIT;")
    await stores.outcomes.report([Outcome(execution_id=execution, name="stars", value=5, reported_at=NOON)])
    fragile.proxy.cut(when, b"BEGIN")

    assert [outcome.value for outcome in await stores.outcomes.list(execution)] == [5]
    assert fragile.proxy.cuts == 2


async def test_a_connection_that_always_breaks_is_no_reason_to_hang(fragile: Fragile) -> None:
    for _ in range(20):
        fragile.proxy.cut("before", b"COMMIT;")

    with pytest.raises(StoreError):
        await fragile.stores.prompts.publish(draft())

    fragile.proxy.armed.clear()
    assert (await fragile.stores.prompts.publish(draft())).number == 1


@pytest.mark.parametrize(("failures", "ends"), [(5, "stored"), (6, "refused")])
async def test_a_transaction_that_others_are_in_the_way_of_is_run_again_five_times(
    fragile: Fragile, failures: int, ends: str
) -> None:
    tries = []

    def run(connection: Connection) -> str:
        tries.append(1)
        if len(tries) <= failures:
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'serialization_failure'; END $$"))
        return "stored"

    if ends == "stored":
        assert await fragile.stores.database.write(run) == ends
    else:
        with pytest.raises(StoreBusy):
            await fragile.stores.database.write(run)

    assert len(tries) == 6


async def test_a_deadlock_ends_in_both_being_stored(fragile: Fragile) -> None:
    stores = fragile.stores
    for name in ("a", "b"):
        await stores.prompts.publish(draft(name))

    def touch(names: tuple[str, str]) -> Callable[[Connection], None]:
        def run(connection: Connection) -> None:
            for name in names:
                connection.execute(text("UPDATE prompts SET updated_at = now() WHERE name = :name"), {"name": name})
                connection.execute(text("SELECT pg_sleep(0.1)"))

        return run

    await asyncio.gather(*(stores.database.write(touch(names)) for names in (("a", "b"), ("b", "a"))))

    assert (await stores.prompts.resolve(Reference(name="a"))).number == 1
