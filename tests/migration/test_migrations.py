"""Migrations lead to exactly the tables of the schema, keep what is stored, and are undone whole when they fail."""

from __future__ import annotations

import sqlite3
from contextlib import closing as ended
from pathlib import Path
from shutil import copytree

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from cuewire.model.errors import SchemaMismatch, StoreBusy, StoreDamaged, StoreError
from cuewire.stores import migrations, upgrades
from cuewire.stores.schema import REVISION, metadata
from cuewire.stores.sqlite import SqliteDatabase
from cuewire.stores.sqlite_file import connect, open_file, schema_found
from tests.support.stores import HeldClock, Stores, database_file, opened_file, published, recorded, stores_on


def shape(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all that a file holds of schema: the text of each table, index and trigger, and the planner's figures."""
    with ended(sqlite3.connect(path)) as connection:
        things = connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
        ).fetchall()
        figures = connection.execute("SELECT * FROM sqlite_stat1 ORDER BY tbl, idx").fetchall()
        columns = [
            (name, *column)
            for kind, name, _, _ in things
            if kind == "table"
            for column in connection.execute(f"PRAGMA table_xinfo({name})")
        ]
    return {"things": [(*names, sql and sql.split()) for *names, sql in things], "columns": columns, "figures": figures}


def taken_back(path: Path) -> Path:
    """Take every migration back."""
    upgrades.downgrade(path, to="base")
    return path


def backups(folder: Path) -> list[str]:
    return [entry.name for entry in folder.glob("*backup*")]


async def filled(path: Path) -> str:
    """Store a prompt and an execution, and return its id."""
    async with opened_file(path.parent) as stores:
        return await recorded(stores, await published(stores))


async def reopened(path: Path) -> tuple[SqliteDatabase, Stores]:
    database = await SqliteDatabase.open(path, clock=HeldClock())
    return database, stores_on(database, HeldClock())


def test_a_new_file_and_one_migrated_step_by_step_are_the_same(tmp_path: Path) -> None:
    new = tmp_path / "new.db"
    open_file(new).close()
    migrated = database_file(tmp_path)

    assert shape(new) == shape(migrated)
    assert len(shape(new)["things"]) == 63


async def test_alembic_too_sees_no_difference_to_the_tables(tmp_path: Path) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with opened_file(tmp_path) as stores:
        assert await stores.database.read(differences) == []


def test_the_newest_migration_is_the_one_that_opening_asks_for() -> None:
    assert upgrades.scripts().get_heads() == [REVISION]


def test_migrations_are_numbered_in_order_without_gaps() -> None:
    numbers = [script.revision for script in upgrades.scripts().walk_revisions()][::-1]

    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


async def test_an_upgraded_file_is_used_and_its_backup_kept(tmp_path: Path) -> None:
    path = taken_back(database_file(tmp_path))
    before = upgrades.status(path)

    backup = upgrades.upgrade(path, clock=HeldClock())

    assert (before.current, before.head, before.pending[-1]) == ("", REVISION, REVISION)
    assert upgrades.status(path).pending == ()
    assert backup == tmp_path / "cue.db.backup-empty-20261121T120000Z"
    with ended(connect(backup)) as copy:
        assert schema_found(copy) == ""
    database, stores = await reopened(path)
    await recorded(stores, await published(stores))
    await database.close()


async def test_a_file_that_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cue.db"
    execution = await filled(path)

    assert upgrades.upgrade(path, clock=HeldClock()) is None

    assert backups(tmp_path) == []
    database, stores = await reopened(path)
    assert (await stores.executions.get(execution)).status == "succeeded"
    await database.close()


@pytest.mark.contract("S1-53")
async def test_going_back_works_and_then_forth_again(tmp_path: Path) -> None:
    path = database_file(tmp_path)
    whole = shape(path)

    taken_back(path)
    with ended(sqlite3.connect(path)) as connection:
        left = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    upgrades.upgrade(path, clock=HeldClock())

    assert left == [("alembic_version",), ("sqlite_sequence",), ("sqlite_stat1",)]
    assert shape(path) == whole


async def test_a_migration_that_would_leave_damage_is_undone(tmp_path: Path) -> None:
    path = taken_back(database_file(tmp_path))
    with ended(connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("CREATE TABLE guests (prompt_id INTEGER REFERENCES prompts (id))")
        connection.execute("INSERT INTO guests VALUES (7)")
        connection.execute("CREATE TABLE keep (text)")
    before = shape(path)

    with pytest.raises(StoreDamaged, match="a row of guests refers to a missing row of prompts"):
        upgrades.upgrade(path, clock=HeldClock())

    assert shape(path) == before
    assert upgrades.status(path).pending


async def test_a_migration_that_fails_half_way_is_undone(tmp_path: Path) -> None:
    path = taken_back(database_file(tmp_path))
    with ended(connect(path)) as connection:
        connection.execute("CREATE TABLE calls (in_the_way)")  # one of the last that the migration makes
    before = shape(path)

    with pytest.raises(StoreError, match="calls"):
        upgrades.upgrade(path, clock=HeldClock())

    assert shape(path) == before


async def test_an_upgrade_waits_for_other_writers_no_longer_than_five_seconds(tmp_path: Path) -> None:
    path = taken_back(database_file(tmp_path))

    with ended(connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            upgrades.upgrade(path, clock=HeldClock())

    assert upgrades.status(path).pending


@pytest.mark.parametrize("number", ["9999", "nonsense", "0001,0001"])
def test_an_unknown_schema_is_refused_and_nothing_is_touched(tmp_path: Path, number: str) -> None:
    path = database_file(tmp_path)
    with ended(connect(path)) as connection:
        connection.execute("DELETE FROM alembic_version")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (number,))
    before = shape(path)

    for question in (
        lambda: upgrades.status(path),
        lambda: upgrades.upgrade(path, clock=HeldClock()),
        lambda: upgrades.downgrade(path, to="base"),
    ):
        with pytest.raises(SchemaMismatch, match="does not know"):
            question()

    assert shape(path) == before
    assert backups(tmp_path) == []


def test_the_database_of_another_program_is_not_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    with ended(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE notes (text)")

    with pytest.raises(SchemaMismatch, match="another program"):
        upgrades.upgrade(path, clock=HeldClock())


def test_a_file_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        upgrades.status(tmp_path / "absent.db")

    assert list(tmp_path.iterdir()) == []


def test_alembic_itself_can_start_a_new_migration(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    copytree(Path(migrations.__file__).parent, folder)
    config = upgrades.configuration()
    config.set_main_option("script_location", str(folder))

    command.revision(config, message="add a thing", rev_id="9998")

    made = (folder / "versions" / "9998_add_a_thing.py").read_text()
    assert f'revision = "9998"\ndown_revision = "{REVISION}"' in made.replace("'", '"')
    compile(made, "9998", "exec")
