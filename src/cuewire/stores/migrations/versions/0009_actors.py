"""Who asked for an execution; of those that are stored already nobody knows."""

from __future__ import annotations

from cuewire.stores.migrations.sql import run

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column to executions."""
    run("0009", "upgrade")


def downgrade() -> None:
    """Drop it."""
    run("0009", "downgrade")
