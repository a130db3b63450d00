"""The tables, once for both databases. A change here needs a migration; a test holds the two together.

Every row of user data carries its project, and every key and query begins with it. In SQLite a table WITHOUT ROWID is
one tree ordered by its key: half the pages to write of a table beside an index. Payloads keep a rowid, because long
rows do not fit such a tree. What PostgreSQL has beside these is in `postgres_schema`.
"""

from __future__ import annotations

from sqlalchemy import DDL, Column, MetaData, PrimaryKeyConstraint, String, Table, event

from cuewire.stores.schema.access import api_keys, sessions, users
from cuewire.stores.schema.cache import cache_entries, cache_matches, cache_questions
from cuewire.stores.schema.executions import UNENDED, calls, did_not_succeed, executions, payloads
from cuewire.stores.schema.limits import limits
from cuewire.stores.schema.names import PROJECT, metadata
from cuewire.stores.schema.outcomes import outcomes, prompt_performance, trading_signals
from cuewire.stores.schema.prompts import (
    TEMPLATES_IN_POSTGRES,
    TEMPLATES_IN_SQLITE,
    is_live,
    labels,
    prompt_tags,
    prompt_templates,
    prompts,
    versions,
)
from cuewire.stores.schema.reviews import events, label_rules, reviews
from cuewire.stores.schema.scopes import scopes, template_types

__all__ = [
    "PROJECT",
    "REVISION",
    "TEMPLATES_IN_POSTGRES",
    "UNENDED",
    "alembic_version",
    "api_keys",
    "cache_entries",
    "cache_matches",
    "cache_questions",
    "calls",
    "did_not_succeed",
    "events",
    "executions",
    "is_live",
    "label_rules",
    "labels",
    "limits",
    "metadata",
    "outcomes",
    "payloads",
    "prompt_performance",
    "prompt_tags",
    "prompt_templates",
    "prompts",
    "reviews",
    "scopes",
    "sessions",
    "template_types",
    "trading_signals",
    "users",
    "versions",
]

REVISION = "0009"
"""The newest migration, whose tables these are."""

_IN_SQLITE = (
    *(
        f"CREATE TRIGGER versions_refuse_{verb.lower()} BEFORE {verb} ON versions "
        "BEGIN SELECT RAISE(ABORT, 'versions are immutable'); END"
        for verb in ("UPDATE", "DELETE")
    ),
    # Without figures SQLite takes ten rows to share a project, and would read all rows of a project rather than use the
    # rest of an index. So it gets the figures of a large database: rows, then rows alike in the first column, the first
    # two and so on.
    "ANALYZE",
    "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES "
    "('executions', 'executions', '1000000 1000000 1'), "
    "('executions', 'ix_executions_project_id_prompt_name_id', '1000000 1000000 10000 1'), "
    "('executions', 'ix_executions_project_id_status_id', '10000 10000 2500 1'), "
    "('executions', 'ix_executions_project_id_idempotency_key', '100000 100000 1'), "
    "('prompts', 'ix_prompts_project_id_name_id', '10000 10000 1 1'), "
    "('prompts', 'ix_prompts_project_id_strategy_id_name_id', '10000 10000 2000 1 1'), "
    "('prompts', 'ix_prompts_project_id_template_type_name_id', '10000 10000 1000 1 1'), "
    "('prompts', 'ix_prompts_project_id_updated_at_id', '10000 10000 1 1'), "
    "('prompts', 'uq_prompts_global', '10000 10000 1 1'), "
    "('prompts', 'uq_prompts_of_strategy', '10000 10000 2000 1 1'), "
    "('prompt_tags', 'prompt_tags', '30000 30000 3 1'), "
    "('prompt_tags', 'ix_prompt_tags_project_id_tag_prompt_id', '30000 30000 600 1')",
    TEMPLATES_IN_SQLITE,
)
for _statement in _IN_SQLITE:
    _further = DDL(_statement.replace("%", "%%"))  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    event.listen(metadata, "after_create", _further.execute_if(dialect="sqlite"))

alembic_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own note of the newest migration applied; we write it for a new file and read it at each opening."""
