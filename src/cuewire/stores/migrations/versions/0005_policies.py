"""What a version says of how it runs, and how an execution with several candidates came to its answer."""

from __future__ import annotations

from cuewire.stores.migrations.sql import run

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns to versions, executions, payloads and calls."""
    run("0005", "upgrade")


def downgrade() -> None:
    """Drop them: versions run with one candidate again."""
    run("0005", "downgrade")
