"""What prompts belong to: strategies, configurations, and types of templates."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from cuewire.stores.columns import Instant, JsonText
from cuewire.stores.schema.names import Name, Number, metadata, project

scopes = Table(
    "scopes",
    metadata,
    Column("id", Number, primary_key=True),
    project(),
    Column("kind", String(16), nullable=False),
    Column("name", Name, nullable=False),
    Column("description", Text, nullable=False),
    Column("parent_id", Number, ForeignKey("scopes.id")),
    Column("parameters", JsonText, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=false()),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    CheckConstraint("kind IN ('strategy', 'configuration')", name="kind"),
    # SqlScopeStore.get and list, and the strategy of a prompt
    UniqueConstraint("project_id", "kind", "name"),
    sqlite_autoincrement=True,  # the id of one that was removed is no other's
)

template_types = Table(
    "template_types",
    metadata,
    project(),
    Column("name", Name, nullable=False),
    Column("description", Text, nullable=False),
    Column("variables", JsonText, nullable=False),
    # SqlTemplateTypeStore.list and put
    PrimaryKeyConstraint("project_id", "name"),
)
