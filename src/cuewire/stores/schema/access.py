"""Who may come: users, the keys of programs, and the sessions of browsers."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from cuewire.stores.columns import Instant, JsonText
from cuewire.stores.schema.names import Name, Number, metadata, project

users = Table(
    "users",
    metadata,
    Column("id", Number, primary_key=True),
    project(),
    Column("name", Name, nullable=False),
    Column("role", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    # SqlUsers.find and list
    UniqueConstraint("project_id", "name"),
)

api_keys = Table(
    "api_keys",
    metadata,
    project(),
    Column("id", Name, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("user_id", Number, ForeignKey("users.id")),
    Column("role", String(16), nullable=False, server_default=text("'admin'")),
    Column("scopes", JsonText),
    Column("prompts", JsonText),
    Column("expires_at", Instant),
    Column("created_by", Text, nullable=False, server_default=text("''")),
    # SqlApiKeys.find, list, revoke
    PrimaryKeyConstraint("project_id", "id"),
    sqlite_with_rowid=False,
)

sessions = Table(
    "sessions",
    metadata,
    project(),
    Column("id", Name, nullable=False),
    Column("key_id", Name, nullable=False),
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
