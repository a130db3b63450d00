"""Rates that processes share. SQLite has the table and no use for it: its one server counts in memory."""

from __future__ import annotations

from sqlalchemy import Column, Float, PrimaryKeyConstraint, Table

from cuewire.stores.schema.names import Name, metadata, project

limits = Table(
    "limits",
    metadata,
    project(),
    Column("name", Name, nullable=False),
    Column("used_until", Float, nullable=False),
    # PostgresLimiter.book
    PrimaryKeyConstraint("project_id", "name"),
    sqlite_with_rowid=False,
)
"""Of each rate the time up to which it is used, in seconds since 1970 on the clock of the server."""
