"""Programs that read the tables themselves find what they know, by SQL and by classes, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, create_engine, event, inspect, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from cuewire.compat.orm import PromptPerformance, PromptTemplate, TradingSignal
from cuewire.model.references import Reference
from tests.support.stores import KINDS, Stores, draft, opened

T = TypeVar("T")

DAY = {
    "evaluation_date": date(2026, 11, 20),
    "signals_generated": 5,
    "total_profit_loss": 0.0,
    "win_count": 2,
    "loss_count": 2,
    "breakeven_count": 1,
    "r_count": 5,
    "avg_r_multiple": 0.0,
}


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        await stores.prompts.publish(
            draft("analysis", text="RSI is {{ rsi }}"),
            details={"template_type": "analysis", "description": "Looks at a symbol", "category": "trading"},
        )
        yield stores


async def in_session(stores: Stores, run: Callable[[Session], T]) -> T:
    """Run a function in a session that a program of its own would open."""
    url: str = stores.url  # type: ignore[attr-defined]  # both kinds have one
    if url.startswith("sqlite"):
        return await asyncio.to_thread(in_file, url, run)
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    try:
        async with AsyncSession(engine) as session, session.begin():
            return await session.run_sync(run)
    finally:
        await engine.dispose()


def in_file(url: str, run: Callable[[Session], T]) -> T:
    engine = create_engine(url)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=ON"))
    try:
        with Session(engine) as session, session.begin():
            return run(session)
    finally:
        engine.dispose()


@pytest.mark.contract(
    "S3-001", "S3-002", "S3-003", "S3-004", "S3-005", "S3-006", "S3-007", "S3-008", "S3-009", "S3-029", "S1-16"
)
async def test_a_version_is_a_row_of_prompt_templates(stores: Stores) -> None:
    await stores.scopes.put("strategy", "momentum", {}, is_new=True, by="ada")
    await stores.prompts.publish(draft("analysis", text="second"))
    await stores.prompts.publish(
        draft("own", text="own"), details={"template_type": "consolidation"}, strategy="momentum", language="de"
    )
    await stores.prompts.publish(draft("talk", text="x"), details={"template_type": "system_message"})

    def read(session: Session) -> list[dict[str, Any]]:
        found = session.scalars(select(PromptTemplate).order_by(PromptTemplate.id)).all()  # type: ignore[attr-defined]
        return [{column.name: getattr(row, column.name) for column in PromptTemplate.__table__.c} for row in found]

    first, second, own, talk = await in_session(stores, read)

    assert (first["name"], first["description"], first["category"]) == ("analysis", "Looks at a symbol", "trading")
    assert first["template_content"] == "RSI is {{ rsi }}"
    assert [row["template_type"] for row in (first, second, own, talk)] == [
        "analysis",
        "analysis",
        "consolidation",
        "system_message",
    ]
    assert [(row["version"], bool(row["is_active"])) for row in (first, second)] == [(1, True), (2, False)]
    assert (bool(first["is_global"]), first["strategy_id"], bool(own["is_global"]), own["language"]) == (
        True,
        None,
        False,
        "de",
    )
    assert own["strategy_id"] == (await stores.scopes.get("strategy", "momentum")).id
    assert len({row["id"] for row in (first, second, own, talk)}) == 4
    for row in (first, second):
        assert row["created_at"].replace(tzinfo=UTC) == row["updated_at"].replace(tzinfo=UTC) == stores.clock.wall
    assert "ab_test_group" in first


@pytest.mark.contract("S3-094")
async def test_a_template_knows_the_figures_of_its_days(stores: Stores) -> None:
    version = await stores.prompts.resolve(Reference(name="analysis"))
    now = datetime(2026, 11, 21, tzinfo=UTC)

    def write(session: Session) -> None:
        session.add(
            PromptPerformance(
                prompt_template_id=version.prompt_id, prompt_version=1, created_at=now, updated_at=now, **DAY
            )
        )

    def read(session: Session) -> tuple[list[date], str, float]:
        template = session.scalars(select(PromptTemplate)).one()
        days = template.performance
        return [day.evaluation_date for day in days], days[0].template.name, days[0].total_profit_loss  # type: ignore[attr-defined]

    await in_session(stores, write)

    assert await in_session(stores, read) == ([date(2026, 11, 20)], "analysis", 0.0)


async def test_a_day_of_a_version_has_one_row_with_and_without_a_strategy(stores: Stores) -> None:
    version = await stores.prompts.resolve(Reference(name="analysis"))
    strategy = await stores.scopes.put("strategy", "momentum", {}, is_new=True, by="ada")
    now = datetime(2026, 11, 21, tzinfo=UTC)

    def write(strategy_id: int | None) -> Callable[[Session], None]:
        def add(session: Session) -> None:
            session.add(
                PromptPerformance(
                    prompt_template_id=version.prompt_id,
                    prompt_version=1,
                    strategy_id=strategy_id,
                    created_at=now,
                    updated_at=now,
                    **DAY,
                )
            )

        return add

    for strategy_id in (None, strategy.id):
        await in_session(stores, write(strategy_id))
        with pytest.raises(DBAPIError):
            await in_session(stores, write(strategy_id))


@pytest.mark.contract("S3-027")
async def test_what_is_looked_up_by_has_an_index(stores: Stores) -> None:
    def indexed(connection: Connection) -> set[tuple[str, str]]:
        seen = inspect(connection)
        tables = ("prompts", "prompt_performance", "trading_signals")
        return {
            (table, str(column))
            for table in tables
            for index in seen.get_indexes(table)
            for column in index["column_names"]
        }

    found = await stores.database.read(indexed)

    assert found >= {
        ("prompts", "strategy_id"),
        ("prompts", "name"),
        ("prompts", "template_type"),
        ("prompt_performance", "evaluation_date"),
        ("trading_signals", "outcome"),
        ("trading_signals", "prompt_template_id"),
    }


@pytest.mark.contract("S3-028")
@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "maybe"},
        {"prompt_template_id": 10**9},
        {"strategy_id": 10**9},
        {"symbol": None},
    ],
    ids=str,
)
async def test_the_tables_refuse_what_makes_no_sense(stores: Stores, wrong: dict[str, object]) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    signal = {"symbol": "AAPL", "direction": "long", "generated_at": now}

    with pytest.raises(DBAPIError):
        await in_session(stores, lambda session: session.add(TradingSignal(**(signal | wrong))))
    await in_session(stores, lambda session: session.add(TradingSignal(**signal)))

    pending = await in_session(stores, lambda session: session.scalars(select(TradingSignal)).one().outcome)  # type: ignore[attr-defined]
    assert pending == "pending"
