"""A whole database moves from a file to PostgreSQL and back, and arrives as it was or not at all."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Connection, insert, select

from cuewire.model.api_keys import ApiKey
from cuewire.model.errors import Conflict, CuewireError, SchemaMismatch, StoreBusy, StoreError
from cuewire.model.outcomes import Outcome
from cuewire.model.reviews import LabelRule
from cuewire.model.template_types import CatalogueVariable, TemplateType
from cuewire.model.users import User
from cuewire.registry.sessions import SignIns
from cuewire.stores.api_keys import SqlApiKeys
from cuewire.stores.cache import SqlCacheStore
from cuewire.stores.copies import PAGE_ROWS, copy_all
from cuewire.stores.matches import SqlMatchStore
from cuewire.stores.places import place_of
from cuewire.stores.schema import limits, metadata, prompt_performance, trading_signals
from cuewire.stores.scopes import SqlTemplateTypeStore
from cuewire.stores.sessions import SqlSessions
from cuewire.stores.users import SqlUsers
from tests.support import postgres
from tests.support.questions import drawn, match, question
from tests.support.stores import (
    NOON,
    HeldClock,
    Stores,
    cache_entry,
    claiming,
    closing,
    draft,
    failed,
    opened_file,
    opening,
    published,
    recorded,
    stores_on,
)

Rows: TypeAlias = dict[str, list[tuple[Any, ...]]]


async def fill(stores: Stores) -> None:
    """Store something of everything."""
    version_id = await published(stores)
    await stores.prompts.publish(draft(text="two – äöü 😀"), labels=["candidate"])
    await stores.prompts.publish(draft("b.c/d"))
    await stores.prompts.change("b.c/d", status="archived")
    for number in range(PAGE_ROWS + 7):
        row = opening(version_id, inputs=b'{"z":1,"a":{"y":2.50,"b":[1e3,null]}}')
        stores.recorder.open(row)
        await stores.recorder.close(failed(row.id) if number % 9 == 0 else closing(row.id, text="x" * number))
    execution = await recorded(stores, version_id)
    await stores.outcomes.report([Outcome(execution_id=execution, name="stars", value=5, reported_at=NOON)])
    held = claiming(version_id)
    await stores.recorder.claim(held)
    await stores.recorder.close(closing(held.id))
    key = ApiKey(id="abc", name="Ada", secret_hash="a" * 64, created_at=NOON, revoked_at=None)
    keys = SqlApiKeys(stores.database)
    await SqlUsers(stores.database).add(User(name="ada", role="editor", created_at=NOON), by="local")
    await keys.add(key, user="ada")
    await fill_registry(stores)
    await SignIns(SqlSessions(stores.database), keys, clock=HeldClock()).invite(key.id)


async def fill_registry(stores: Stores) -> None:
    """Store something of everything that belongs to prompts."""
    await stores.scopes.put("configuration", "child", {}, is_new=True, by="ada")
    await stores.scopes.put("configuration", "parent", {"is_default": True}, is_new=True, by="ada")
    await stores.scopes.put("configuration", "child", {"parent": "parent"}, is_new=False, by="ada")
    await stores.scopes.put("strategy", "momentum", {"parameters": {"n": 2.50}}, is_new=True, by="ada")
    own = await stores.prompts.publish(draft("own"), details={"tags": ["a"]}, strategy="momentum", language="de")
    await stores.rules.set_rule(LabelRule(label="production", needs_review=True), by="ada")
    asked = question(drawn(7), text="– äöü 😀?")
    await SqlCacheStore(stores.database).put(cache_entry(version_id=own.id), question=asked)
    for verdict in (None, "wrong"):
        await SqlMatchStore(stores.database).add(match(own.id, verdict=verdict))
    await stores.reviews.ask(own.prompt_id, "canary", 1, by="ada", comment="why")
    kind = TemplateType(name="mine", description="x", variables=(CatalogueVariable(name="a", json_schema={}),))
    await SqlTemplateTypeStore(stores.database).put(kind, by="ada")

    def figures(connection: Connection) -> None:
        signal = {"symbol": "AAPL", "direction": "long", "generated_at": NOON, "prompt_template_id": own.prompt_id}
        connection.execute(insert(trading_signals).values(**signal, profit_loss=0.1 + 0.2))
        counts = dict.fromkeys(("signals_generated", "win_count", "loss_count", "breakeven_count", "r_count"), 1)
        day = {"evaluation_date": NOON.date(), "created_at": NOON, "updated_at": NOON, "prompt_version": 1}
        connection.execute(insert(prompt_performance).values(prompt_template_id=own.prompt_id, **counts, **day))
        connection.execute(insert(limits).values(name="openai requests", used_until=1_795_000_000.1 + 0.2))

    await stores.database.write(figures)


async def copied(source: str, target: str, steps: list[tuple[str, int, int]] | None = None) -> dict[str, int]:
    def progress(*step: Any) -> None:
        if steps is not None:
            steps.append(step)

    return dict(await copy_all(place_of(source), place_of(target), clock=HeldClock(), progress=progress))


async def opened_at(url: str, act: Callable[[Stores], Awaitable[Any]]) -> Any:
    database = await place_of(url).open(clock=HeldClock())
    try:
        return await act(stores_on(database, HeldClock()))
    finally:
        await database.close()


async def contents(stores: Stores) -> Rows:
    def read(connection: Connection) -> Rows:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }

    return await stores.database.read(read)


async def test_everything_goes_to_postgresql_and_comes_back(tmp_path: Path) -> None:
    async with opened_file(tmp_path) as stores:
        await fill(stores)
        origin, before = stores.url, await contents(stores)
    back = f"sqlite:///{tmp_path}/back.db"
    steps: list[tuple[str, int, int]] = []

    async with postgres.database(is_empty=True) as url:
        there = await copied(origin, url, steps)
        on_server = await opened_at(url, contents)
        again = await copied(url, back)

    assert on_server == before
    assert await opened_at(back, contents) == before
    assert there == again == {name: len(rows) for name, rows in before.items()}
    assert all(there.values())
    total = sum(there.values())
    assert steps[-1] == ("comparing", total, total)
    assert ("copying", total, total) in steps


async def test_a_copy_goes_on_giving_out_numbers(tmp_path: Path) -> None:
    async with opened_file(tmp_path) as stores:
        await fill(stores)
        origin = stores.url

    async def go_on(copy: Stores) -> tuple[int, int]:
        new = await copy.prompts.publish(draft("new"))
        again = await copy.prompts.publish(draft(text="three"))
        return new.id, again.number

    async with postgres.database() as url:
        await copied(origin, url)
        assert await opened_at(url, go_on) == (5, 3)


async def test_an_empty_database_can_be_copied(tmp_path: Path) -> None:
    async with postgres.database() as url:
        counts = await copied(url, f"sqlite:///{tmp_path}/new.db")

    assert set(counts.values()) == {0}


async def test_a_target_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    async with opened_file(tmp_path) as stores:
        await fill(stores)
        origin = stores.url
        before = await contents(stores)

    async with postgres.database() as url:
        await opened_at(url, published)
        for source, target in ((origin, url), (url, origin)):
            with pytest.raises(Conflict, match="holds something already"):
                await copied(source, target)
        with pytest.raises(Conflict, match="onto itself"):
            await copied(origin, origin)

        assert (await opened_at(url, contents))["executions"] == []
    assert await opened_at(origin, contents) == before


@pytest.mark.parametrize("kind", ["file", "server"])
async def test_a_source_that_is_not_there_is_refused_and_nothing_is_made(tmp_path: Path, kind: str) -> None:
    async with postgres.database(is_empty=True) as empty:
        source = f"sqlite:///{tmp_path}/absent.db" if kind == "file" else empty

        with pytest.raises(StoreError, match="there is no database"):
            await copied(source, f"sqlite:///{tmp_path}/new.db")

    assert os.listdir(tmp_path) == []


async def test_a_source_in_use_is_refused_and_the_target_is_empty_again(tmp_path: Path) -> None:
    async with opened_file(tmp_path) as stores, postgres.database() as url:
        stores.recorder.open(opening(await published(stores)))
        await stores.database.settle()

        for target in (url, f"sqlite:///{tmp_path}/new.db"):
            with pytest.raises(StoreBusy, match="executions are running"):
                await copied(stores.url, target)

        await stores.recorder.close(closing((await stores.executions.list(limit=1)).items[0].id))
        assert (await copied(stores.url, url))["executions"] == 1
    assert not (tmp_path / "new.db").exists()


async def test_a_source_that_changes_meanwhile_is_noticed_and_the_target_is_empty_again(tmp_path: Path) -> None:
    async with opened_file(tmp_path) as stores, postgres.database() as url:
        await fill(stores)
        outside: list[object] = []

        def progress(step: str, *_: int) -> None:
            if step == "comparing" and not outside:
                outside.append(stores.database.writer.connection.execute("UPDATE prompts SET updated_at = 0"))

        with pytest.raises(StoreError, match=r"the copy of table 'prompts' differs"):
            await copy_all(place_of(stores.url), place_of(url), clock=HeldClock(), progress=progress)

        assert all(rows == [] for rows in (await opened_at(url, contents)).values())


async def test_a_source_of_another_version_is_refused(tmp_path: Path) -> None:
    async with postgres.database() as url:
        await postgres.run("UPDATE alembic_version SET version_num = '0000'", url=url)

        with pytest.raises(CuewireError) as refused:
            await copied(url, f"sqlite:///{tmp_path}/new.db")

    assert isinstance(refused.value, SchemaMismatch)
    assert os.listdir(tmp_path) == []
