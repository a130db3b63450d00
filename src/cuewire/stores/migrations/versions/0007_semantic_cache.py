"""Questions whose answers may be given again to who asks something similar, and how right that would have been."""

from __future__ import annotations

from cuewire.stores.migrations.sql import run

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two tables, and columns to executions and payloads."""
    run("0007", "upgrade")


def downgrade() -> None:
    """Drop them: only equal questions are answered from the cache again."""
    run("0007", "downgrade")
