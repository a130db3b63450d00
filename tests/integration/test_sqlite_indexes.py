"""Each query is answered through the index that is there for it, and none sorts or reads a whole table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Index, PrimaryKeyConstraint, UniqueConstraint, event

from cuewire.stores import record_statements
from cuewire.stores.cursors import make_cursor
from cuewire.stores.schema import metadata
from cuewire.stores.spend import SqlSpendStore
from tests.support.index_questions import QUESTIONS, ask_all, indexes
from tests.support.stores import NOON, FileStores, execution_id, opened_file, published, recorded


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[FileStores]:
    async with opened_file(tmp_path) as stores:
        version_id = await published(stores)
        for _ in range(3):
            await recorded(stores, version_id)
        await stores.scopes.put("strategy", "trend", {}, is_new=True, by="ada")
        yield stores


async def plans(stores: FileStores, ask: Callable[[], Awaitable[object]]) -> list[tuple[str, str]]:
    """Return each statement that a question to the stores leads to, with how SQLite answers it."""
    asked: list[tuple[str, Any]] = []

    def note(*event_arguments: Any) -> None:
        _, _, statement, parameters, _, many = event_arguments
        asked.append((statement, parameters[0] if many else parameters))

    engines = [await run(lambda connection: connection.engine) for run in (stores.database.read, stores.database.write)]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    await ask()
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
    questions = [(text, values) for text, values in asked if text.startswith(("SELECT", "UPDATE", "INSERT", "DELETE"))]
    return await stores.database.read(
        lambda connection: [(text, explained(connection, text, values)) for text, values in questions]
    )


def explained(connection: Connection, text: str, values: Any) -> str:
    return "; ".join(row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values))


BY_PROMPT = "SEARCH executions USING INDEX ix_executions_project_id_prompt_name_id (project_id=? AND prompt_name=?"
BY_STATUS = "SEARCH executions USING INDEX ix_executions_project_id_status_id (project_id=? AND status=?"
OF_FEW_OR_ALL = (
    "SELECT count(*) AS count_1 \nFROM prompts",  # of a project, to which most prompts of a file belong
    "prompt_tags.tag = ?",  # the prompts of a tag are sorted
    "DELETE FROM scopes",  # nothing refers to it any more, which SQLite proves in its own way
)
"""What statements say that may read a table, or sort."""
BY_ID = "SEARCH executions USING PRIMARY KEY (project_id=?"


@pytest.mark.parametrize(
    ("prompt", "status", "index"),
    [
        (None, None, BY_ID),
        ("greet", None, BY_PROMPT),
        (None, "failed", BY_STATUS),
        (None, "running", BY_STATUS),
        (None, "succeeded", BY_ID),
        ("greet", "succeeded", BY_PROMPT),
    ],
)
@pytest.mark.parametrize("is_later_page", [False, True])
async def test_a_page_of_executions_is_read_in_order_from_its_index(
    stores: FileStores, prompt: str | None, status: Any, index: str, is_later_page: bool
) -> None:
    after = make_cursor(execution_id(), of=f"executions {status} {prompt}") if is_later_page else None

    [(_, steps)] = await plans(
        stores, lambda: stores.executions.list(limit=100, after=after, prompt=prompt, status=status)
    )

    assert index in steps
    assert (" AND id<?)" in steps) == is_later_page
    assert "SCAN" not in steps
    assert "TEMP B-TREE" not in steps


@pytest.mark.parametrize(
    ("of", "index"), [({}, BY_ID), ({"prompt": "greet"}, BY_PROMPT), ({"actor": "key:ci"}, BY_ID)], ids=str
)
async def test_what_was_spent_is_summed_over_the_executions_of_a_day_alone(
    stores: FileStores, of: dict[str, str], index: str
) -> None:
    spent = SqlSpendStore(stores.database)

    [(_, steps)] = await plans(stores, lambda: spent.spent_usd(since=NOON, **of))

    assert (index in steps, "id>?" in steps) == (True, True)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("_HOLDER", "INDEX ix_executions_project_id_idempotency_key"),
        ("_OWNERS", "INDEX ix_executions_project_id_status_id (project_id=? AND status=?)"),
        ("_INTERRUPT", "INDEX ix_executions_project_id_status_id (project_id=? AND status=?)"),
        ("_FREE_KEY", "PRIMARY KEY (project_id=? AND id=?)"),
        ("_ABANDON", "PRIMARY KEY (project_id=? AND id=?)"),
    ],
)
async def test_the_record_writer_searches_by_index(stores: FileStores, statement: str, index: str) -> None:
    text = getattr(record_statements, statement)

    values = (None,) * text.count("?")

    steps = await stores.database.write(lambda connection: explained(connection, text, values))

    assert f"SEARCH executions USING {index}" in steps


@pytest.mark.parametrize("index", sorted(QUESTIONS))
async def test_each_index_answers_the_question_that_it_is_there_for(stores: FileStores, index: str) -> None:
    found = await plans(stores, lambda: QUESTIONS[index](stores))

    assert [steps for _, steps in found if f"INDEX {index} (" in steps]


def test_no_index_is_without_a_question() -> None:
    assert indexes() == {*QUESTIONS}


async def test_no_question_reads_a_whole_table_or_sorts(stores: FileStores) -> None:
    found = await plans(stores, lambda: ask_all(stores))

    assert len(found) > 100
    assert [
        (text, steps)
        for text, steps in found
        if ("SCAN" in steps or "TEMP B-TREE FOR ORDER" in steps) and not any(few in text for few in OF_FEW_OR_ALL)
    ] == []


def test_every_key_and_every_index_begins_with_the_project() -> None:
    kinds = (UniqueConstraint, PrimaryKeyConstraint, Index)
    keys = [
        [column.name for column in key.columns]
        for table in metadata.tables.values()
        for key in (*table.constraints, *table.indexes)
        if isinstance(key, kinds)
    ]
    own = [["id"]] * 9  # of what is numbered across projects

    assert sorted(key for key in keys if key[0] != "project_id") == own
    assert all(not table.c.project_id.nullable for table in metadata.tables.values())
