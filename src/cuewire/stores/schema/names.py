"""What all tables share: names of constraints, kinds of columns, and the project that each row belongs to."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, MetaData, Text, text

PROJECT = 1
"""The one project there is so far."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Number = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; SQLite gives a table its own key only for a column declared exactly INTEGER."""
Name = Text().with_variant(Text(collation="C"), "postgresql")
"""Ordered by code point on both databases, so that a cursor means the same."""


def project() -> Column[int]:
    """Return the column of the project."""
    return Column("project_id", Integer, nullable=False, server_default=text("1"))


def execution_key() -> ForeignKeyConstraint:
    """Return the reference to the execution that a row belongs to."""
    return ForeignKeyConstraint(["project_id", "execution_id"], ["executions.project_id", "executions.id"])
