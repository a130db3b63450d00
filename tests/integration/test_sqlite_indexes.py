"""Each query is answered through the index that is there for it, and none sorts or reads a whole table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Index, PrimaryKeyConstraint, UniqueConstraint, event

from cuewire.model.api_keys import ApiKey
from cuewire.model.outcomes import Outcome
from cuewire.model.prompts import Reference
from cuewire.stores import record_statements
from cuewire.stores.api_keys import SqlApiKeys
from cuewire.stores.cursors import make_cursor
from cuewire.stores.schema import metadata
from tests.support.stores import NOON, FileStores, draft, execution_id, opened_file, published, recorded


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[FileStores]:
    async with opened_file(tmp_path) as stores:
        version_id = await published(stores)
        for _ in range(3):
            await recorded(stores, version_id)
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


async def test_no_question_reads_a_whole_table_or_sorts(stores: FileStores) -> None:
    async def ask() -> None:
        await stores.prompts.publish(draft(text="two"), labels=["candidate"])
        await stores.prompts.label("greet", "production", 2)
        await stores.prompts.resolve(Reference(name="greet"))
        await stores.prompts.resolve(Reference(name="greet", number=1))
        await stores.prompts.get("greet")
        await stores.prompts.versions("greet")
        await stores.prompts.list(limit=2, after=None, archived=False)
        one = (await stores.executions.list(limit=1)).items[0].id
        await stores.executions.get(one)
        await stores.outcomes.report([Outcome(execution_id=one, name="stars", value=5, reported_at=NOON)])
        await stores.outcomes.list(one)
        await stores.prompts.archive("greet")
        await keys.add(ApiKey(id="abcdefghij", name="laptop", secret_hash="a" * 64, created_at=NOON))
        await keys.revoke("abcdefghij", at=NOON)
        await keys.find("abcdefghij")
        await keys.list()

    keys = SqlApiKeys(stores.database)
    found = await plans(stores, ask)

    assert len(found) > 25
    assert [(text, steps) for text, steps in found if "SCAN" in steps or "TEMP B-TREE FOR ORDER" in steps] == []


def test_every_key_and_every_index_begins_with_the_project() -> None:
    kinds = (UniqueConstraint, PrimaryKeyConstraint, Index)
    keys = [
        [column.name for column in key.columns]
        for table in metadata.tables.values()
        for key in (*table.constraints, *table.indexes)
        if isinstance(key, kinds)
    ]
    own = [["id"]] * 2  # of prompts and versions, which are numbered across projects

    assert sorted(key for key in keys if key[0] != "project_id") == own
    assert all(not table.c.project_id.nullable for table in metadata.tables.values())
