"""Prompts with versions and labels; executions with payloads, calls and outcomes; on PostgreSQL their owners."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_PLAIN = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_EXECUTION = sa.LargeBinary(16).with_variant(postgresql.UUID(), "postgresql")
_INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")
_JSON = sa.Text().with_variant(postgresql.JSON(), "postgresql")

_IN_SQLITE = (
    "CREATE TRIGGER versions_refuse_update BEFORE UPDATE ON versions "
    "BEGIN SELECT RAISE(ABORT, 'versions are immutable'); END",
    "CREATE TRIGGER versions_refuse_delete BEFORE DELETE ON versions "
    "BEGIN SELECT RAISE(ABORT, 'versions are immutable'); END",
    # Figures of a large database, for the query planner.
    "ANALYZE",
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES "
    "('executions', 'executions', '1000000 1000000 1'), "
    "('executions', 'ix_executions_project_id_prompt_name_id', '1000000 1000000 10000 1'), "
    "('executions', 'ix_executions_project_id_status_id', '10000 10000 2500 1'), "
    "('executions', 'ix_executions_project_id_idempotency_key', '100000 100000 1')",
)
_IN_POSTGRES = (
    "CREATE FUNCTION versions_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'versions are immutable'; END $$",
    "CREATE TRIGGER versions_refuse_change BEFORE UPDATE OR DELETE ON versions "
    "FOR EACH ROW EXECUTE FUNCTION versions_refuse_change()",
    "CREATE FUNCTION prompts_tell_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN PERFORM pg_notify('cuewire_changes', current_setting('application_name')); RETURN NULL; END $$",
    "CREATE TRIGGER prompts_tell_change AFTER INSERT OR UPDATE OR DELETE ON prompts "
    "FOR EACH STATEMENT EXECUTE FUNCTION prompts_tell_change()",
    "CREATE TRIGGER labels_tell_change AFTER INSERT OR UPDATE OR DELETE ON labels "
    "FOR EACH STATEMENT EXECUTE FUNCTION prompts_tell_change()",
)


def upgrade() -> None:
    """Make the tables."""
    _make_prompts()
    _make_executions()
    _make_parts_of_executions()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        _make_owners()
    for statement in _IN_SQLITE if is_sqlite else _IN_POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    """Drop the tables and everything in them."""
    for table in ("outcomes", "calls", "payloads", "executions", "labels", "versions", "prompts"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_table("owners")
        for function in ("versions_refuse_change", "prompts_tell_change"):
            op.execute(f"DROP FUNCTION {function}()")


def _make_prompts() -> None:
    op.create_table(
        "prompts",
        sa.Column("id", _PLAIN, primary_key=True),
        _project(),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("archived_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_prompts"),
        sa.UniqueConstraint("project_id", "name", name="uq_prompts_project_id_name"),
    )
    op.create_table(
        "versions",
        sa.Column("id", _PLAIN, primary_key=True),
        _project(),
        sa.Column("prompt_id", _PLAIN, nullable=False),
        sa.Column("number", _PLAIN, nullable=False),
        sa.Column("messages", _JSON, nullable=False),
        sa.Column("variables", _JSON, nullable=False),
        sa.Column("model", sa.Text),
        sa.Column("parameters", _JSON, nullable=False),
        sa.Column("output", _JSON, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_versions"),
        sa.CheckConstraint("number > 0", name=op.f("ck_versions_number")),
        sa.UniqueConstraint("project_id", "prompt_id", "number", name="uq_versions_project_id_prompt_id_number"),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompts.id"], name="fk_versions_prompt_id"),
    )
    op.create_table(
        "labels",
        _project(),
        sa.Column("prompt_id", _PLAIN, nullable=False),
        sa.Column("label", _NAME, nullable=False),
        sa.Column("version_id", _PLAIN, nullable=False),
        sa.Column("moved_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "prompt_id", "label", name="pk_labels"),
        sa.ForeignKeyConstraint(["prompt_id"], ["prompts.id"], name="fk_labels_prompt_id"),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_labels_version_id"),
        sqlite_with_rowid=False,
    )


def _make_executions() -> None:
    op.create_table(
        "executions",
        _project(),
        sa.Column("id", _EXECUTION, nullable=False),
        sa.Column("version_id", _PLAIN, nullable=False),
        sa.Column("prompt_name", _NAME, nullable=False),
        sa.Column("label", sa.Text),
        sa.Column("executed_at", _INSTANT, nullable=False),
        sa.Column("metadata", _JSON, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("idempotency_key", sa.Text),
        sa.Column("request_hash", sa.String(64)),
        sa.Column("owner_id", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("completed_at", _INSTANT),
        sa.Column("response_time_ms", sa.Float),
        sa.Column("first_token_ms", sa.Float),
        sa.Column("input_token_count", sa.BigInteger),
        sa.Column("output_token_count", sa.BigInteger),
        sa.Column("total_token_count", sa.BigInteger),
        sa.Column("cost_usd", sa.Float),
        sa.Column("cost_basis", sa.Text),
        sa.Column("finish_reason", sa.Text),
        sa.Column("error_code", sa.Text),
        sa.Column("error_message", sa.String(1_000)),
        sa.PrimaryKeyConstraint("project_id", "id", name="pk_executions"),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'succeeded', 'failed', 'cancelled', 'timed_out', 'interrupted')",
            name=op.f("ck_executions_status"),
        ),
        sa.ForeignKeyConstraint(["version_id"], ["versions.id"], name="fk_executions_version_id"),
        sqlite_with_rowid=False,
    )
    _index("executions", "project_id", "prompt_name", "id")
    _index("executions", "project_id", "status", "id", where="status != 'succeeded'")
    _index("executions", "project_id", "idempotency_key", unique=True, where="idempotency_key IS NOT NULL")


def _make_parts_of_executions() -> None:
    op.create_table(
        "payloads",
        _project(),
        sa.Column("execution_id", _EXECUTION, nullable=False),
        sa.Column("inputs", _JSON, nullable=False),
        sa.Column("messages", _JSON),
        sa.Column("text", sa.Text),
        sa.Column("value", _JSON),
        sa.Column("tool_calls", _JSON),
        sa.Column("failure", _JSON),
        sa.Column("sanitised", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("project_id", "execution_id", name="pk_payloads"),
        _execution_key("payloads"),
    )
    op.create_table(
        "calls",
        _project(),
        sa.Column("execution_id", _EXECUTION, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("duration_ms", sa.Float, nullable=False),
        sa.Column("input_token_count", sa.BigInteger),
        sa.Column("output_token_count", sa.BigInteger),
        sa.Column("cached_token_count", sa.BigInteger),
        sa.Column("reasoning_token_count", sa.BigInteger),
        sa.Column("cost_usd", sa.Float),
        sa.Column("http_status", sa.Integer),
        sa.Column("error_code", sa.Text),
        sa.Column("provider_request_id", sa.Text),
        sa.Column("delay_ms", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "execution_id", "number", name="pk_calls"),
        _execution_key("calls"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outcomes",
        _project(),
        sa.Column("execution_id", _EXECUTION, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("value", _JSON, nullable=False),
        sa.Column("reported_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("project_id", "execution_id", "name", name="pk_outcomes"),
        _execution_key("outcomes"),
        sqlite_with_rowid=False,
    )


def _make_owners() -> None:
    op.create_table(
        "owners",
        sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("beat_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_owners"),
    )


def _project() -> sa.Column[int]:
    return sa.Column("project_id", sa.Integer, nullable=False, server_default=sa.text("1"))


def _execution_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["project_id", "execution_id"],
        ["executions.project_id", "executions.id"],
        name=f"fk_{table}_project_id_execution_id",
    )


def _index(table: str, *columns: str, unique: bool = False, where: str | None = None) -> None:
    condition: dict[str, Any] = {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)} if where else {}
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), unique=unique, **condition)
