"""Migrations in SQL, a file for each database and direction; an empty line ends a statement."""

from __future__ import annotations

from importlib.resources import files

from alembic import op


def run(revision: str, direction: str) -> None:
    """Run the statements of a migration on the database that is being migrated."""
    connection = op.get_bind()
    text = files(__name__).joinpath(f"{revision}_{connection.dialect.name}_{direction}.sql").read_text()
    for statement in text.split("\n\n"):
        connection.exec_driver_sql(statement)
