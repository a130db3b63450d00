"""Opening a SQLite file: how it is made, and what is refused with a clear word."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from cuewire.model.errors import SchemaMismatch, StoreDamaged, StoreError
from cuewire.stores.sqlite import SqliteDatabase
from cuewire.stores.sqlite_file import connect
from tests.support.stores import HeldClock, database_file, opened_file, published, recorded, stores_on


async def open_and_close(path: Path) -> None:
    database = await SqliteDatabase.open(path, clock=HeldClock())
    await database.close()


async def fill(path: Path, rows: int) -> None:
    async with opened_file(path.parent) as stores:
        version_id = await published(stores)
        for _ in range(rows):
            await recorded(stores, version_id)


async def test_a_new_file_is_private_and_its_folder_too(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "data" / "cue.db"

    await open_and_close(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["cue.db", "cue.db-owners"]


async def test_an_empty_file_is_filled_and_a_path_may_hold_any_character(tmp_path: Path) -> None:
    path = tmp_path / "ä ?#%20&.db"
    path.touch()

    await open_and_close(path)
    await open_and_close(path)

    assert path.stat().st_size > 0


async def test_every_connection_is_set_to_lose_nothing(tmp_path: Path) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "cell_size_check": 1, "trusted_schema": 0}
    async with opened_file(tmp_path) as stores:
        for ask in (stores.database.read, stores.database.write):
            assert await ask(lambda connection: settings(connection, wanted)) == wanted


def settings(connection: Connection, names: Iterable[str]) -> dict[str, object]:
    return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names}


async def test_a_reader_cannot_write(tmp_path: Path) -> None:
    async with opened_file(tmp_path) as stores:
        with pytest.raises(StoreError, match="cannot grow or be written|readonly"):
            await stores.database.read(lambda connection: connection.exec_driver_sql("DELETE FROM prompts"))


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to have a header " * 100, b"SQLite format 3\0"]
)
async def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cue.db"
    path.write_bytes(content)

    with pytest.raises(StoreDamaged):
        await open_and_close(path)

    assert path.read_bytes() == content


async def test_damaged_pages_are_refused_at_opening(tmp_path: Path) -> None:
    path = database_file(tmp_path)
    await fill(path, 20)
    whole = path.read_bytes()
    for page in range(1, len(whole) // 16_384):
        spoiled = bytearray(whole)
        spoiled[page * 16_384 : page * 16_384 + 64] = b"\xff" * 64
        path.write_bytes(spoiled)

        with pytest.raises(StoreDamaged, match=r"damaged.*cuewire doctor"):
            await open_and_close(path)


async def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = database_file(tmp_path)
    await fill(path, 20)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(StoreDamaged):
        await open_and_close(path)


@pytest.mark.parametrize("how", ["deleted", "emptied"])
async def test_a_file_that_is_gone_while_its_log_remains_is_not_made_anew(tmp_path: Path, how: str) -> None:
    path = database_file(tmp_path)
    await fill(path, 1)
    path.with_name("cue.db-wal").write_bytes(b"frames")
    path.unlink() if how == "deleted" else path.write_bytes(b"")

    with pytest.raises(StoreDamaged, match="is gone, but its log 'cue.db-wal' remains"):
        await open_and_close(path)

    assert path.with_name("cue.db-wal").read_bytes() == b"frames"


async def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cue.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE notes (text)")

    with pytest.raises(SchemaMismatch, match="another program"):
        await open_and_close(path)

    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("notes",)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE alembic_version SET version_num = '0000'", "run: cuewire db upgrade"),
        ("DELETE FROM alembic_version", "run: cuewire db upgrade"),
        ("UPDATE alembic_version SET version_num = '9999'", "update Cuewire"),
        ("INSERT INTO alembic_version VALUES ('9998')", "update Cuewire"),
        ("DROP TABLE outcomes", "lacks the tables outcomes"),
    ],
)
async def test_another_schema_is_refused_with_what_to_do(tmp_path: Path, change: str, said: str) -> None:
    path = database_file(tmp_path)
    with closing(connect(path)) as connection:
        connection.execute(change)

    with pytest.raises(SchemaMismatch, match=said):
        await open_and_close(path)


async def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        await open_and_close(tmp_path)


async def test_a_closed_database_refuses_everything_and_closes_again(tmp_path: Path) -> None:
    database = await SqliteDatabase.open(database_file(tmp_path), clock=HeldClock())
    stores = stores_on(database, HeldClock())
    await database.close()
    await database.close()

    with pytest.raises(StoreError, match="is closed"):
        await stores.executions.list(limit=1)
    with pytest.raises(StoreError, match="is closed"):
        await stores.prompts.change("greet", status="archived")
    with pytest.raises(StoreError, match="is closed"):
        await database.changed()


async def test_a_backup_during_writes_is_one_consistent_state(tmp_path: Path) -> None:
    async with opened_file(tmp_path) as stores:
        version_id = await published(stores)
        before = [await recorded(stores, version_id) for _ in range(20)]
        target = tmp_path / "copy.db"
        await stores.database.backup(target)
        after = [await recorded(stores, version_id) for _ in range(5)]

        with pytest.raises(StoreError, match="exists"):
            await stores.database.backup(target)

    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert await ids_in(target) == set(before)
    assert await ids_in(tmp_path / "cue.db") == {*before, *after}


async def ids_in(path: Path) -> set[str]:
    database = await SqliteDatabase.open(path, clock=HeldClock())
    stores = stores_on(database, HeldClock())
    page = await stores.executions.list(limit=1_000)
    await database.close()
    return {one.id for one in page.items}


async def test_the_thorough_check_finds_a_broken_reference_and_nothing_else(tmp_path: Path) -> None:
    async with opened_file(tmp_path) as stores:
        await recorded(stores, await published(stores))
        healthy = await stores.database.check()
        with closing(connect(stores.database.path)) as other:
            other.execute("PRAGMA foreign_keys=OFF")
            other.execute("DELETE FROM executions")
        broken = await stores.database.check()

    assert healthy == []
    assert sorted(broken) == [
        "a row of calls refers to a missing row of executions",
        "a row of payloads refers to a missing row of executions",
    ]
