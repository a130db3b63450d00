"""When each call of an execution began; of calls that are stored already nobody knows."""

from __future__ import annotations

from cuewire.stores.migrations.sql import run

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column to calls."""
    run("0006", "upgrade")


def downgrade() -> None:
    """Drop it."""
    run("0006", "downgrade")
