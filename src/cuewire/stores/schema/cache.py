"""Answers to give again, the questions that they answer, and how near later questions came to those."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from cuewire.stores.columns import ExecutionId, Instant, JsonText
from cuewire.stores.schema.names import Number, metadata, project

cache_entries = Table(
    "cache_entries",
    metadata,
    project(),
    Column("key", String(64), nullable=False),
    Column("version_id", Number, ForeignKey("versions.id"), nullable=False),
    Column("source_id", ExecutionId, nullable=False),
    Column("value", JsonText, nullable=False),
    Column("text", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("finish_reason", Text, nullable=False),
    Column("cost_usd", Float),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    # SqlCacheStore.find, put
    PrimaryKeyConstraint("project_id", "key"),
    sqlite_with_rowid=False,
)
# SqlCacheStore.clear of versions
Index(None, cache_entries.c.project_id, cache_entries.c.version_id)
# SqlCacheStore.sweep
Index(None, cache_entries.c.project_id, cache_entries.c.expires_at)
# SqlCacheStore.list, newest first
Index(None, cache_entries.c.project_id, cache_entries.c.created_at, cache_entries.c.key)

cache_questions = Table(
    "cache_questions",
    metadata,
    Column("id", Number, primary_key=True),
    project(),
    Column("key", String(64), nullable=False),
    Column("partition", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("signs", LargeBinary, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    # SqlQuestionStore.put
    UniqueConstraint("project_id", "key"),
    ForeignKeyConstraint(
        ["project_id", "key"],
        ["cache_entries.project_id", "cache_entries.key"],
        ondelete="CASCADE",
    ),
    sqlite_autoincrement=True,  # who has seen a number looks for higher ones
)
# SqlQuestionStore.since
Index(None, cache_questions.c.project_id, cache_questions.c.partition, cache_questions.c.id)

cache_matches = Table(
    "cache_matches",
    metadata,
    project(),
    Column("execution_id", ExecutionId, nullable=False),
    Column("version_id", Number, ForeignKey("versions.id"), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("source_id", ExecutionId, nullable=False),
    Column("similarity", Float, nullable=False),
    Column("text", Text, nullable=False),
    Column("matched_text", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("verdict", String(8)),
    Column("decided_by", Text),
    Column("decided_at", Instant),
    CheckConstraint("verdict IN ('right', 'wrong')", name="verdict"),
    # SqlMatchStore.list, decide
    PrimaryKeyConstraint("project_id", "execution_id"),
)
# SqlMatchStore.list of a prompt's versions
Index(None, cache_matches.c.project_id, cache_matches.c.version_id, cache_matches.c.execution_id)
# SqlMatchStore.trust
Index(None, cache_matches.c.project_id, cache_matches.c.subject, cache_matches.c.verdict)
