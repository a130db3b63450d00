"""What is said of prompts, scopes, reviews, events, users, and the figures of trading signals."""

from __future__ import annotations

from cuewire.stores.migrations.sql import run

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the new tables, and add to those of prompts, versions and keys."""
    run("0004", "upgrade")


def downgrade() -> None:
    """Drop what is new. Of prompts of one name the oldest keeps it, and the others get their ids in theirs."""
    run("0004", "downgrade")
