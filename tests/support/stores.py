"""What the tests of the stores share: a clock held still, sample values, and each kind of database, opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from alembic import command

from cuewire.clock import SystemClock
from cuewire.model.cache import CacheEntry
from cuewire.model.executions import CallRecord, Closing, Failure, Opening
from cuewire.model.ids import uuid7
from cuewire.model.outputs import TextOutput
from cuewire.model.prompts import Message, VersionDraft
from cuewire.model.usage import Usage
from cuewire.ports import (
    EventStore,
    ExecutionStore,
    LabelRuleStore,
    OutcomeStore,
    PromptStore,
    Recorder,
    ReviewStore,
    ScopeStore,
)
from cuewire.stores.database import OpenDatabase
from cuewire.stores.events import SqlEventStore
from cuewire.stores.executions import SqlExecutionStore
from cuewire.stores.outcomes import SqlOutcomeStore
from cuewire.stores.postgres import PostgresDatabase
from cuewire.stores.prompts import SqlPromptStore
from cuewire.stores.record_writer import RecordWriter
from cuewire.stores.reviews import SqlLabelRuleStore, SqlReviewStore
from cuewire.stores.scopes import SqlScopeStore
from cuewire.stores.sqlite import SqliteDatabase
from cuewire.stores.sqlite_file import connect
from cuewire.stores.upgrades import migrating
from tests.support import postgres

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KINDS = ("sqlite", "postgres")
"""Databases that pass the same tests."""

_ids = count(SystemClock().random_bits() >> 32 << 16)


@dataclass
class HeldClock:
    """A clock whose wall time stands still unless moved; monotonic time is real, because threads wait by it."""

    wall: datetime = NOON
    system: SystemClock = field(default_factory=SystemClock)

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.system.monotonic()

    def random_bits(self) -> int:
        return self.system.random_bits()

    def advance(self, **by: float) -> None:
        self.wall += timedelta(**by)


@dataclass(frozen=True)
class Stores:
    """All ports of one database."""

    database: OpenDatabase
    clock: HeldClock
    prompts: PromptStore
    scopes: ScopeStore
    rules: LabelRuleStore
    reviews: ReviewStore
    events: EventStore
    recorder: Recorder
    executions: ExecutionStore
    outcomes: OutcomeStore


@dataclass(frozen=True)
class FileStores(Stores):
    """All ports of one file."""

    database: SqliteDatabase

    @property
    def url(self) -> str:
        return f"sqlite:///{self.database.path}"


@dataclass(frozen=True)
class ServerStores(Stores):
    """All ports of one database on a server, and its URL."""

    database: PostgresDatabase
    url: str


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[Stores]:
    """Open a database of the kind, with every migration replayed."""
    async with opened_file(folder) if kind == "sqlite" else opened_on_server() as stores:
        yield stores


@asynccontextmanager
async def opened_file(folder: Path) -> AsyncIterator[FileStores]:
    clock = HeldClock()
    database = await SqliteDatabase.open(database_file(folder), clock=clock)
    try:
        yield FileStores(database, **ports_of(database, clock))
    finally:
        await database.close()


@asynccontextmanager
async def opened_on_server() -> AsyncIterator[ServerStores]:
    async with postgres.database() as url:
        clock = HeldClock()
        database = await PostgresDatabase.open(url, clock=clock)
        try:
            yield ServerStores(database, url=url, **ports_of(database, clock))
        finally:
            await database.close()


def stores_on(database: OpenDatabase, clock: HeldClock) -> Stores:
    return Stores(database, **ports_of(database, clock))


def ports_of(database: OpenDatabase, clock: HeldClock) -> dict[str, Any]:
    return {
        "clock": clock,
        "prompts": SqlPromptStore(database),
        "scopes": SqlScopeStore(database),
        "rules": SqlLabelRuleStore(database),
        "reviews": SqlReviewStore(database),
        "events": SqlEventStore(database),
        "recorder": RecordWriter(database),
        "executions": SqlExecutionStore(database),
        "outcomes": SqlOutcomeStore(database),
    }


def database_file(folder: Path) -> Path:
    """Return the path of a migrated, empty database in the folder; made by copying, because migrating takes longer."""
    path = folder / "cue.db"
    if not path.exists():
        path.write_bytes(_migrated())
    return path


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "template.db"
        path.touch()
        connect(path).execute("PRAGMA journal_mode=WAL").connection.close()
        with migrating(path) as (_, config):
            command.upgrade(config, "head")
        return path.read_bytes()


def cache_entry(key: str = "0" * 64, *, version_id: int = 1, **fields: Any) -> CacheEntry:
    """Return an answer that may be given again."""
    entry = CacheEntry(
        key=key,
        version_id=version_id,
        source_id=uuid7(unix_ms=int(NOON.timestamp() * 1_000), random_bits=next(_ids)),
        value={"stars": [5, None]},
        text='{"stars": [5, null]}',
        model="openai/gpt-4o",
        finish_reason="stop",
        cost_usd=0.25,
        created_at=NOON,
        expires_at=None,
    )
    return msgspec.structs.replace(entry, **fields)


def draft(name: str = "greet", text: str = "Hello {{ name }}", **changes: Any) -> VersionDraft:
    plain = VersionDraft(
        prompt=name,
        messages=(Message("user", text),),
        variables={},
        model="scripted/echo",
        parameters={},
        output=TextOutput(),
        content_hash=sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
    )
    return msgspec.structs.replace(plain, **changes)


async def published(stores: Stores, name: str = "greet") -> int:
    """Publish a prompt, and return the id of its version."""
    return (await stores.prompts.publish(draft(name))).id


def execution_id(at: datetime = NOON) -> str:
    """Return an id that no other call returns; later calls give greater ids."""
    return uuid7(unix_ms=int(at.timestamp() * 1_000), random_bits=next(_ids))


def opening(version_id: int, **changes: Any) -> Opening:
    plain = Opening(
        id=execution_id(),
        version_id=version_id,
        prompt="greet",
        version=1,
        label="production",
        model="scripted/echo",
        started_at=NOON,
        inputs=b'{"name": "Ada"}',
        metadata=b"{}",
    )
    return msgspec.structs.replace(plain, **changes)


def claiming(version_id: int, key: str = "key-1", **changes: Any) -> Opening:
    return opening(version_id, **{"idempotency_key": key, "request_hash": "a" * 64, **changes})


USAGE = Usage(input_tokens=12, output_tokens=5, cached_tokens=3, reasoning_tokens=2)
CALL = CallRecord(
    number=1,
    purpose="first",
    model="scripted/echo",
    status="ok",
    duration_ms=201.5,
    usage=USAGE,
    cost_usd=0.00123,
    http_status=200,
    provider_request_id="req-1",
    started_ms=2.25,
)


def closing(execution: str, **changes: Any) -> Closing:
    plain = Closing(
        id=execution,
        status="succeeded",
        ended_at=NOON + timedelta(milliseconds=250),
        duration_ms=250.0,
        model="scripted/echo",
        usage=USAGE,
        cost_usd=0.00123,
        cost_basis="prices of 2026-11-01",
        finish_reason="stop",
        first_token_ms=80.5,
        messages=b'[{"role":"user","content":"Hello Ada"}]',
        text="Hello Ada",
        value=b'"Hello Ada"',
        tool_calls=None,
        calls=(CALL,),
    )
    return msgspec.structs.replace(plain, **changes)


def failed(execution: str, code: str = "rate_limited", **changes: Any) -> Closing:
    failure = Failure(code=code, message="the provider said no", hint="wait", field="/model", detail="429: slow down")
    nothing: Mapping[str, Any] = {"text": None, "value": None, "finish_reason": None, "first_token_ms": None}
    return closing(execution, **{"status": "failed", "failure": failure, **nothing, **changes})


async def recorded(stores: Stores, version_id: int, **changes: Any) -> str:
    """Record a complete execution and return its id."""
    row = opening(version_id, **changes)
    stores.recorder.open(row)
    await stores.recorder.close(closing(row.id))
    return row.id
