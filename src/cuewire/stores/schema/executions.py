"""The record: executions, what went in and came out, and calls."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    literal_column,
    text,
)

from cuewire.stores.columns import ExecutionId, Instant, JsonText
from cuewire.stores.schema.names import Name, Number, execution_key, metadata, project

UNENDED = ("pending", "running")
"""The statuses of an execution that has not ended."""

executions = Table(
    "executions",
    metadata,
    project(),
    Column("id", ExecutionId, nullable=False),
    Column("version_id", Number, ForeignKey("versions.id"), nullable=False),
    Column("prompt_name", Name, nullable=False),
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
    Column("purpose", String(16), nullable=False, server_default=text("'app'")),
    Column("parent_id", ExecutionId),
    Column("cached_from", ExecutionId),
    Column("saved_usd", Float),
    Column("similarity", Float),
    Column("actor", Text),
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
    project(),
    Column("execution_id", ExecutionId, nullable=False),
    Column("inputs", JsonText, nullable=False),
    Column("messages", JsonText),
    Column("text", Text),
    Column("value", JsonText),
    Column("tool_calls", JsonText),
    Column("failure", JsonText),
    Column("sanitised", Integer, nullable=False, server_default=text("0")),
    Column("work", JsonText),
    Column("matched_text", Text),
    # SqlExecutionStore.get
    PrimaryKeyConstraint("project_id", "execution_id"),
    execution_key(),
)

calls = Table(
    "calls",
    metadata,
    project(),
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
    Column("candidate", Integer, nullable=False, server_default=text("0")),
    Column("cache_write_token_count", BigInteger),
    Column("cache_write_1h_token_count", BigInteger),
    Column("started_ms", Float),
    # SqlExecutionStore.get
    PrimaryKeyConstraint("project_id", "execution_id", "number"),
    execution_key(),
    sqlite_with_rowid=False,
)
