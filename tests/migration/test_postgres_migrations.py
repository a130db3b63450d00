"""On PostgreSQL too, migrations lead to exactly the tables of the schema, and are undone whole when they fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from cuewire.model.errors import SchemaMismatch, StoreBusy, StoreError
from cuewire.stores import postgres_upgrades as upgrades
from cuewire.stores.postgres import PostgresDatabase
from cuewire.stores.postgres_schema import owners
from cuewire.stores.postgres_tables import LOCK
from cuewire.stores.schema import REVISION, metadata
from tests.support import postgres
from tests.support.stores import HeldClock, published, recorded, stores_on

Question: TypeAlias = Callable[[str], Awaitable[object]]
SHAPE = (
    "SELECT table_name, ordinal_position, column_name, data_type, character_maximum_length, collation_name,"
    " is_nullable, column_default FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
    "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1",
    "SELECT version_num FROM alembic_version",
)


async def shape(url: str) -> list[list[Any]]:
    """Return all that a database holds of schema."""
    return [await postgres.run(question, url=url) for question in SHAPE]


async def opened_and_closed(url: str) -> None:
    database = await PostgresDatabase.open(url, clock=HeldClock())
    await database.close()


async def back_to_base(url: str) -> None:
    await upgrades.downgrade(url, to="base")


async def test_a_new_database_and_one_migrated_step_by_step_are_the_same() -> None:
    async with postgres.database(is_empty=True) as new, postgres.database() as migrated:
        await opened_and_closed(new)

        assert await shape(new) == await shape(migrated)


async def test_alembic_too_sees_no_difference_to_the_tables() -> None:
    def differences(connection: Connection) -> list[object]:
        ours = {*metadata.tables, "alembic_version"}
        options = {"include_name": lambda name, kind, _: kind != "table" or name in ours}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with postgres.database() as url, upgrades.transactions_on(url) as (transactions, _):
        assert await transactions.read(differences) == []


async def test_an_upgraded_database_is_used() -> None:
    async with postgres.database() as url:
        await back_to_base(url)
        before = await upgrades.status(url)

        await upgrades.upgrade(url)

        assert before is not None
        assert (before.current, before.head, before.pending[-1]) == ("", REVISION, REVISION)
        database = await PostgresDatabase.open(url, clock=HeldClock())
        stores = stores_on(database, HeldClock())
        await recorded(stores, await published(stores))
        await database.close()


@pytest.mark.contract("S1-53")
async def test_going_back_leaves_nothing_and_forth_again_everything() -> None:
    async with postgres.database() as url:
        whole = await shape(url)
        await back_to_base(url)
        left = await postgres.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", url=url)

        await upgrades.upgrade(url)

        assert [name for (name,) in left] == ["alembic_version"]
        assert await shape(url) == whole


async def test_an_upgrade_of_an_empty_database_makes_it() -> None:
    async with postgres.database(is_empty=True) as url:
        assert await upgrades.status(url) is None

        await upgrades.upgrade(url)

        await opened_and_closed(url)


async def test_a_migration_that_fails_half_way_is_undone() -> None:
    async with postgres.database() as url:
        await back_to_base(url)
        await postgres.run("CREATE TABLE calls (in_the_way int)", url=url)
        before = await shape(url)

        with pytest.raises(StoreError, match="calls"):
            await upgrades.upgrade(url)

        assert await shape(url) == before


async def test_an_upgrade_waits_for_another_one_no_longer_than_five_seconds() -> None:
    async with postgres.database() as url:
        await back_to_base(url)
        async with postgres.held(url, f"SELECT pg_advisory_xact_lock({LOCK})"):
            with pytest.raises(StoreBusy):
                await upgrades.upgrade(url)

        found = await upgrades.status(url)
        assert found is not None
        assert found.pending


@pytest.mark.parametrize("question", [upgrades.status, upgrades.upgrade, back_to_base])
async def test_an_unknown_schema_is_refused_and_nothing_is_touched(question: Question) -> None:
    async with postgres.database() as url:
        await postgres.run("UPDATE alembic_version SET version_num = 'nonsense'", url=url)
        before = await shape(url)

        with pytest.raises(SchemaMismatch, match="does not know"):
            await question(url)

        assert await shape(url) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE alembic_version SET version_num = '0000'", "run: cuewire db upgrade"),
        ("UPDATE alembic_version SET version_num = '9999'", "update Cuewire"),
        ("DROP TABLE outcomes", "lacks the tables outcomes"),
        ("DROP TABLE alembic_version", "another program"),
    ],
)
async def test_another_schema_is_refused_with_what_to_do(change: str, said: str) -> None:
    async with postgres.database() as url:
        await postgres.run(change, url=url)

        with pytest.raises(SchemaMismatch, match=said):
            await opened_and_closed(url)


async def test_tables_of_others_with_other_names_may_stay_beside_ours() -> None:
    async with postgres.database(is_empty=True) as url:
        await postgres.run("CREATE TABLE notes (text text)", url=url)

        await opened_and_closed(url)

        assert owners.name in {name for (name,) in await postgres.run("SELECT tablename FROM pg_tables", url=url)}
