"""The tables, once for both databases. A change here needs a migration; a test holds the two together.

Every row of user data carries its project, and every key and query begins with it. In SQLite a table WITHOUT ROWID is
one tree ordered by its key: half the pages to write of a table beside an index. Payloads keep a rowid, because long
rows do not fit such a tree. What PostgreSQL has beside these is in `postgres_schema`.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    literal_column,
    text,
)

from cuewire.stores.columns import ExecutionId, Instant, JsonText

REVISION = "0003"
"""The newest migration, whose tables these are."""
PROJECT = 1
"""The one project there is so far."""
UNENDED = ("pending", "running")
"""The statuses of an execution that has not ended."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Number = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; SQLite gives a table its own key only for a column declared exactly INTEGER."""
_Name = Text().with_variant(Text(collation="C"), "postgresql")
"""Ordered by code point on both databases, so that a cursor means the same."""


def _project() -> Column[int]:
    return Column("project_id", Integer, nullable=False, server_default=text("1"))


def _execution_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["project_id", "execution_id"], ["executions.project_id", "executions.id"])


prompts = Table(
    "prompts",
    metadata,
    Column("id", _Number, primary_key=True),
    _project(),
    Column("name", _Name, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("archived_at", Instant),
    # SqlPromptStore.resolve, get, list
    UniqueConstraint("project_id", "name"),
)

versions = Table(
    "versions",
    metadata,
    Column("id", _Number, primary_key=True),
    _project(),
    Column("prompt_id", _Number, ForeignKey("prompts.id"), nullable=False),
    Column("number", _Number, nullable=False),
    Column("messages", JsonText, nullable=False),
    Column("variables", JsonText, nullable=False),
    Column("model", Text),
    Column("parameters", JsonText, nullable=False),
    Column("output", JsonText, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    CheckConstraint("number > 0", name="number"),
    # SqlPromptStore.resolve by number, versions, and the newest version for publish
    UniqueConstraint("project_id", "prompt_id", "number"),
)

labels = Table(
    "labels",
    metadata,
    _project(),
    Column("prompt_id", _Number, ForeignKey("prompts.id"), nullable=False),
    Column("label", _Name, nullable=False),
    Column("version_id", _Number, ForeignKey("versions.id"), nullable=False),
    Column("moved_at", Instant, nullable=False),
    # SqlPromptStore.resolve by label, and the labels of a prompt
    PrimaryKeyConstraint("project_id", "prompt_id", "label"),
    sqlite_with_rowid=False,
)

executions = Table(
    "executions",
    metadata,
    _project(),
    Column("id", ExecutionId, nullable=False),
    Column("version_id", _Number, ForeignKey("versions.id"), nullable=False),
    Column("prompt_name", _Name, nullable=False),
    Column("label", Text),
    Column("executed_at", Instant, nullable=False),
    Column("metadata", JsonText, nullable=False, server_default=text("'{}'")),
    Column("idempotency_key", Text),
    Column("request_hash", String(64)),
    Column("owner_id", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("model", Text, nullable=False),
    Column("completed_at", Instant),
    Column("response_time_ms", Float),
    Column("first_token_ms", Float),
    Column("input_token_count", BigInteger),
    Column("output_token_count", BigInteger),
    Column("total_token_count", BigInteger),
    Column("cost_usd", Float),
    Column("cost_basis", Text),
    Column("finish_reason", Text),
    Column("error_code", Text),
    Column("error_message", String(1_000)),
    CheckConstraint(
        "status IN ('pending', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted')",
        name="status",
    ),
    # SqlExecutionStore.get and list, newest first: ids sort by time
    PrimaryKeyConstraint("project_id", "id"),
    sqlite_with_rowid=False,
)
did_not_succeed = executions.c.status != literal_column("'succeeded'")
"""Written into queries in these words, so that both databases see that the partial index answers them."""

# SqlExecutionStore.list of one prompt
Index(None, executions.c.project_id, executions.c.prompt_name, executions.c.id)
# SqlExecutionStore.list of one status other than succeeded, and the search for what dead owners left running
Index(
    None,
    executions.c.project_id,
    executions.c.status,
    executions.c.id,
    sqlite_where=did_not_succeed,
)
# RecordWriter.claim
Index(
    None,
    executions.c.project_id,
    executions.c.idempotency_key,
    unique=True,
    sqlite_where=executions.c.idempotency_key.is_not(None),
)

payloads = Table(
    "payloads",
    metadata,
    _project(),
    Column("execution_id", ExecutionId, nullable=False),
    Column("inputs", JsonText, nullable=False),
    Column("messages", JsonText),
    Column("text", Text),
    Column("value", JsonText),
    Column("tool_calls", JsonText),
    Column("failure", JsonText),
    Column("sanitised", Integer, nullable=False, server_default=text("0")),
    # SqlExecutionStore.get
    PrimaryKeyConstraint("project_id", "execution_id"),
    _execution_key(),
)

calls = Table(
    "calls",
    metadata,
    _project(),
    Column("execution_id", ExecutionId, nullable=False),
    Column("number", Integer, nullable=False),
    Column("purpose", String(16), nullable=False),
    Column("model", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("input_token_count", BigInteger),
    Column("output_token_count", BigInteger),
    Column("cached_token_count", BigInteger),
    Column("reasoning_token_count", BigInteger),
    Column("cost_usd", Float),
    Column("http_status", Integer),
    Column("error_code", Text),
    Column("provider_request_id", Text),
    Column("delay_ms", Float, nullable=False),
    # SqlExecutionStore.get
    PrimaryKeyConstraint("project_id", "execution_id", "number"),
    _execution_key(),
    sqlite_with_rowid=False,
)

outcomes = Table(
    "outcomes",
    metadata,
    _project(),
    Column("execution_id", ExecutionId, nullable=False),
    Column("name", _Name, nullable=False),
    Column("value", JsonText, nullable=False),
    Column("reported_at", Instant, nullable=False),
    # SqlOutcomeStore.report and list
    PrimaryKeyConstraint("project_id", "execution_id", "name"),
    _execution_key(),
    sqlite_with_rowid=False,
)

api_keys = Table(
    "api_keys",
    metadata,
    _project(),
    Column("id", _Name, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    # SqlApiKeys.find, list, revoke
    PrimaryKeyConstraint("project_id", "id"),
    sqlite_with_rowid=False,
)

sessions = Table(
    "sessions",
    metadata,
    _project(),
    Column("id", _Name, nullable=False),
    Column("key_id", _Name, nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("begun_at", Instant),
    # SqlSessions.find, begin, note, end
    PrimaryKeyConstraint("project_id", "id"),
    ForeignKeyConstraint(["project_id", "key_id"], ["api_keys.project_id", "api_keys.id"]),
    sqlite_with_rowid=False,
)

_IN_SQLITE = (
    *(
        f"CREATE TRIGGER versions_refuse_{verb.lower()} BEFORE {verb} ON versions "
        "BEGIN SELECT RAISE(ABORT, 'versions are immutable'); END"
        for verb in ("UPDATE", "DELETE")
    ),
    # Without figures SQLite takes ten rows to share a project, and would read all of a project's executions rather than
    # use an index. So it gets the figures of a large database: rows, then rows alike in the first column, the first two
    # and so on.
    "ANALYZE",
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES "
    "('executions', 'executions', '1000000 1000000 1'), "
    "('executions', 'ix_executions_project_id_prompt_name_id', '1000000 1000000 10000 1'), "
    "('executions', 'ix_executions_project_id_status_id', '10000 10000 2500 1'), "
    "('executions', 'ix_executions_project_id_idempotency_key', '100000 100000 1')",
)
for _statement in _IN_SQLITE:
    _further = DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    event.listen(metadata, "after_create", _further.execute_if(dialect="sqlite"))

alembic_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own note of the newest migration applied; we write it for a new file and read it at each opening."""
