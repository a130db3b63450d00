"""API keys of the server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_INSTANT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "api_keys",
        sa.Column("project_id", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("id", _NAME, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("revoked_at", _INSTANT),
        sa.PrimaryKeyConstraint("project_id", "id", name="pk_api_keys"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Drop the table: nobody can use the server until keys are made again."""
    op.drop_table("api_keys")
