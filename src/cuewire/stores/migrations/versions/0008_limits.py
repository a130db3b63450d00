"""Rates that processes share."""

from __future__ import annotations

from cuewire.stores.migrations.sql import run

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table."""
    run("0008", "upgrade")


def downgrade() -> None:
    """Drop it: what of the rates is used is forgotten."""
    run("0008", "downgrade")
