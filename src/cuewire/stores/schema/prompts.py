"""Prompts, versions and labels, and what guards a label."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from cuewire.stores.columns import Instant, JsonText
from cuewire.stores.schema.names import Name, Number, metadata, project

prompts = Table(
    "prompts",
    metadata,
    Column("id", Number, primary_key=True),
    project(),
    Column("name", Name, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("archived_at", Instant),
    Column("strategy_id", Number, ForeignKey("scopes.id")),
    Column("language", Name, nullable=False, server_default=text("'en'")),
    Column("description", Text, nullable=False, server_default=text("''")),
    Column("template_type", Name, nullable=False, server_default=text("'general'")),
    Column("category", Text, nullable=False, server_default=text("''")),
    Column("status", String(16), nullable=False, server_default=text("'active'")),
    Column("revision", Number, nullable=False, server_default=text("1")),
    CheckConstraint("status IN ('active', 'inactive', 'archived')", name="status"),
    CheckConstraint("(status = 'archived') = (archived_at IS NOT NULL)", name="archived"),
)
is_live = prompts.c.archived_at.is_(None)

# One live prompt of a name in each scope and language; two indexes, because no null equals another.
Index(
    "uq_prompts_global",
    prompts.c.project_id,
    prompts.c.name,
    prompts.c.language,
    unique=True,
    sqlite_where=is_live & prompts.c.strategy_id.is_(None),
)
Index(
    "uq_prompts_of_strategy",
    prompts.c.project_id,
    prompts.c.strategy_id,
    prompts.c.name,
    prompts.c.language,
    unique=True,
    sqlite_where=is_live,
)
# SqlPromptStore.resolve and get, and list by name
Index(None, prompts.c.project_id, prompts.c.name, prompts.c.id)
# SqlPromptStore.list of a strategy by name, and SqlScopeStore.remove
Index(None, prompts.c.project_id, prompts.c.strategy_id, prompts.c.name, prompts.c.id)
# SqlPromptStore.list of a type by name, and list by type
Index(None, prompts.c.project_id, prompts.c.template_type, prompts.c.name, prompts.c.id)
# SqlPromptStore.list by time of change
Index(None, prompts.c.project_id, prompts.c.updated_at, prompts.c.id)

prompt_tags = Table(
    "prompt_tags",
    metadata,
    project(),
    Column("prompt_id", Number, ForeignKey("prompts.id"), nullable=False),
    Column("tag", Name, nullable=False),
    # the tags of a prompt
    PrimaryKeyConstraint("project_id", "prompt_id", "tag"),
    sqlite_with_rowid=False,
)
# SqlPromptStore.list of a tag
Index(None, prompt_tags.c.project_id, prompt_tags.c.tag, prompt_tags.c.prompt_id)

versions = Table(
    "versions",
    metadata,
    Column("id", Number, primary_key=True),
    project(),
    Column("prompt_id", Number, ForeignKey("prompts.id"), nullable=False),
    Column("number", Number, nullable=False),
    Column("messages", JsonText, nullable=False),
    Column("variables", JsonText, nullable=False),
    Column("model", Text),
    Column("parameters", JsonText, nullable=False),
    Column("output", JsonText, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("includes", JsonText, nullable=False, server_default=text("'{}'")),
    Column("lenient", Boolean, nullable=False, server_default=false()),
    Column("parent", Number),
    Column("author", Text, nullable=False, server_default=text("''")),
    Column("policy", JsonText, nullable=False, server_default=text("'{}'")),
    CheckConstraint("number > 0", name="number"),
    # SqlPromptStore.resolve by number, versions, and the newest version for publish
    UniqueConstraint("project_id", "prompt_id", "number"),
)

labels = Table(
    "labels",
    metadata,
    project(),
    Column("prompt_id", Number, ForeignKey("prompts.id"), nullable=False),
    Column("label", Name, nullable=False),
    Column("version_id", Number, ForeignKey("versions.id"), nullable=False),
    Column("moved_at", Instant, nullable=False),
    # SqlPromptStore.resolve by label, and the labels of a prompt
    PrimaryKeyConstraint("project_id", "prompt_id", "label"),
    sqlite_with_rowid=False,
)

prompt_templates = Table(
    "prompt_templates",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("prompt_id", Integer),
    Column("name", Text),
    Column("description", Text),
    Column("template_type", Text),
    Column("template_content", Text),
    Column("version", Integer),
    Column("is_active", Boolean),
    Column("is_global", Boolean),
    Column("strategy_id", Integer),
    Column("language", Text),
    Column("ab_test_group", Text),
    Column("category", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True)),
)
"""A view, of which programs of others know the columns; it is no part of `metadata`."""

TEMPLATES_IN_SQLITE = """\
CREATE VIEW prompt_templates AS SELECT v.id AS id, v.prompt_id AS prompt_id, p.name AS name,
p.description AS description, p.template_type AS template_type,
CASE WHEN json_array_length(v.messages) = 1 AND json_type(v.messages, '$[0].content') = 'text'
THEN json_extract(v.messages, '$[0].content') ELSE v.messages END AS template_content, v.number AS version,
p.status = 'active' AND EXISTS (SELECT 1 FROM labels l WHERE l.project_id = v.project_id AND l.prompt_id = v.prompt_id
AND l.label = 'production' AND l.version_id = v.id) AS is_active, p.strategy_id IS NULL AS is_global,
p.strategy_id AS strategy_id, p.language AS language, NULL AS ab_test_group, p.category AS category,
strftime('%Y-%m-%d %H:%M:%S', v.created_at / 1000000, 'unixepoch') || printf('.%06d', v.created_at % 1000000)
AS created_at,
strftime('%Y-%m-%d %H:%M:%S', p.updated_at / 1000000, 'unixepoch') || printf('.%06d', p.updated_at % 1000000)
AS updated_at FROM versions v JOIN prompts p ON p.id = v.prompt_id"""
"""What programs of others read: one row for each version, with the columns that they know."""
TEMPLATES_IN_POSTGRES = """\
CREATE VIEW prompt_templates AS SELECT v.id AS id, v.prompt_id AS prompt_id, p.name AS name,
p.description AS description, p.template_type AS template_type,
CASE WHEN json_array_length(v.messages) = 1 AND json_typeof(v.messages->0->'content') = 'string'
THEN v.messages->0->>'content' ELSE v.messages::text END AS template_content, v.number AS version,
p.status = 'active' AND EXISTS (SELECT 1 FROM labels l WHERE l.project_id = v.project_id AND l.prompt_id = v.prompt_id
AND l.label = 'production' AND l.version_id = v.id) AS is_active, p.strategy_id IS NULL AS is_global,
p.strategy_id AS strategy_id, p.language AS language, NULL::text AS ab_test_group, p.category AS category,
v.created_at AS created_at, p.updated_at AS updated_at FROM versions v JOIN prompts p ON p.id = v.prompt_id"""
