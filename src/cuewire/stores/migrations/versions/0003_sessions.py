"""Sessions of browsers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sessions",
        sa.Column("project_id", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("id", _NAME, nullable=False),
        sa.Column("key_id", _NAME, nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("begun_at", _INSTANT),
        sa.PrimaryKeyConstraint("project_id", "id", name="pk_sessions"),
        sa.ForeignKeyConstraint(
            ["project_id", "key_id"], ["api_keys.project_id", "api_keys.id"], name="fk_sessions_project_id_key_id"
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the table: whoever is signed in is signed out."""
    op.drop_table("sessions")
