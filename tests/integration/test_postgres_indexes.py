"""On PostgreSQL too, each query is answered through the index that is there for it.

The tables of a test are so small that reading them whole would be right; so that, and sorting, is forbidden here: what
the planner does all the same, it has no index for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from cuewire.stores import postgres_statements
from cuewire.stores.cursors import make_cursor
from tests.support.index_questions import QUESTIONS, ask_all
from tests.support.stores import (
    ServerStores,
    claiming,
    execution_id,
    opened_on_server,
    published,
    recorded,
)

MANY = (
    "INSERT INTO trading_signals (symbol, direction, generated_at) "
    "SELECT 'MES', 'long', now() FROM generate_series(1, 1000)",
    "ANALYZE trading_signals",
    "INSERT INTO cache_entries (key, version_id, source_id, value, text, model, finish_reason, created_at) "
    "SELECT n, (SELECT max(id) FROM versions), gen_random_uuid(), '1', '1', 'x/y', 'stop', now() "
    "FROM generate_series(1, 1000) AS n",
    "ANALYZE cache_entries",
)
"""So many that it matters by which index they are read."""
FORBIDDEN = ("enable_seqscan", "enable_sort", "enable_bitmapscan")


def saying(statement: str) -> Callable[[Connection], object]:
    """Return what runs a statement."""
    return lambda connection: connection.execute(text(statement))


@pytest.fixture
async def stores() -> AsyncIterator[ServerStores]:
    async with opened_on_server() as stores:
        version_id = await published(stores)
        for _ in range(3):
            await recorded(stores, version_id)
        await stores.scopes.put("strategy", "trend", {}, is_new=True, by="ada")
        await published(stores, "other")
        for statement in MANY:
            await stores.database.write(saying(statement))
        yield stores


async def plans(stores: ServerStores, ask: Callable[[], Awaitable[object]]) -> list[tuple[str, str]]:
    """Return each statement that a question to the stores leads to, with how PostgreSQL answers it."""
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
    questions = [(said, values) for said, values in asked if " FROM pg_" not in said and "pg_current" not in said]
    return await stores.database.write(
        lambda connection: [(said, explained(connection, said, values)) for said, values in questions]
    )


def explained(connection: Connection, statement: str, values: Any) -> str:
    for means in FORBIDDEN:
        connection.execute(text(f"SET LOCAL {means} = off"))
    return "; ".join(row[0].strip() for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values))


BY_PROMPT = "ix_executions_project_id_prompt_name_id on executions"
BY_STATUS = "ix_executions_project_id_status_id on executions"
BY_ID = "pk_executions on executions"


@pytest.mark.parametrize(
    ("prompt", "status", "index"),
    [
        (None, None, BY_ID),
        ("greet", None, BY_PROMPT),
        (None, "failed", BY_STATUS),
        (None, "running", BY_STATUS),
        (None, "succeeded", BY_ID),
    ],
)
@pytest.mark.parametrize("is_later_page", [False, True])
async def test_a_page_of_executions_is_read_in_order_from_its_index(
    stores: ServerStores, prompt: str | None, status: Any, index: str, is_later_page: bool
) -> None:
    after = make_cursor(execution_id(), of=f"executions {status} {prompt}") if is_later_page else None

    [(_, steps)] = await plans(
        stores, lambda: stores.executions.list(limit=100, after=after, prompt=prompt, status=status)
    )

    assert f"Index Scan Backward using {index}" in steps
    assert "Sort" not in steps


@pytest.mark.parametrize("index", sorted(QUESTIONS))
async def test_each_index_answers_the_question_that_it_is_there_for(stores: ServerStores, index: str) -> None:
    found = await plans(stores, lambda: QUESTIONS[index](stores))

    assert [steps for _, steps in found if f" using {index} on " in steps]


async def test_no_question_reads_a_whole_table(stores: ServerStores) -> None:
    async def ask() -> None:
        await ask_all(stores)
        await stores.recorder.claim(claiming(1))
        await stores.database.interrupt_dead()

    found = await plans(stores, ask)

    assert len(found) > 100
    assert [(said, steps) for said, steps in found if "Seq Scan" in steps and "on owners" not in steps] == []


async def test_a_group_of_records_is_matched_by_its_keys(stores: ServerStores) -> None:
    types = ", ".join("unknown" for _ in range(postgres_statements.STORE_GROUP.count("$")))

    def ask(connection: Connection) -> str:
        connection.execute(text(f"PREPARE store_group ({types}) AS {postgres_statements.STORE_GROUP}"))
        arguments = ", ".join("NULL" for _ in types.split(","))
        rows = connection.execute(text(f"EXPLAIN EXECUTE store_group ({arguments})"))
        return "; ".join(row[0].strip() for row in rows)

    steps = await stores.database.write(ask)

    assert "Conflict Arbiter Indexes: pk_executions" in steps
    assert "Conflict Arbiter Indexes: pk_payloads" in steps
    assert "Seq Scan" not in steps
