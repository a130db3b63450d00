"""Several processes that log into one database, forks among them, and the end of each."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import cuewire
from cuewire.model.ids import is_execution_id
from tests.support import postgres
from tests.support.logging_program import start


@pytest.mark.contract("S1-09")
async def test_three_processes_that_begin_at_once_store_what_each_of_them_logs(app: cuewire.App, url: str) -> None:
    await app.prompts.publish("greet", "Hello")
    processes = [start(url, "log", "60") for _ in range(3)]

    said = [(await asyncio.to_thread(process.communicate))[0].split() for process in processes]

    ids = [one for words in said for one in words]
    assert len(ids) == 180
    assert await recorded(app) == set(ids)


@pytest.mark.contract("S1-09")
async def test_what_a_process_logs_while_it_forks_is_stored_and_so_is_what_its_children_log(
    app: cuewire.App, url: str
) -> None:
    await app.prompts.publish("greet", "Hello")

    said, _ = await asyncio.to_thread(start(url, "fork", "10").communicate)

    ids = said.split()
    assert len(ids) > 1 + 3 * 10
    assert await recorded(app) == set(ids)


def test_a_process_that_ends_leaves_the_database_closed(url: str, kind: str, tmp_path: Path) -> None:
    with cuewire.open(url) as app:
        app.prompts.publish("greet", "Hello")

    said, _ = start(url, "log", "1").communicate()

    assert is_execution_id(said.strip())
    if kind == "sqlite":
        assert {path.name for path in tmp_path.rglob("*")} == {"cue.db", "cue.db-owners"}
    else:
        assert asyncio.run(postgres.run("SELECT 1 FROM owners", url=url)) == []


async def recorded(app: cuewire.App) -> set[str]:
    """Return the ids of all that is recorded; all of it has to have succeeded."""
    ids, after = set[str](), None
    while True:
        page = await app.executions.list(limit=1_000, after=after, prompt="greet")
        assert {one.status for one in page.items} == {"succeeded"}
        ids.update(one.id for one in page.items)
        after = page.next
        if after is None:
            return ids
