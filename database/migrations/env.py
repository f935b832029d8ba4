"""Alembic's entry: runs migrations on the connection that ``migrate.py`` hands in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection
from tradewind.database.tables import metadata


def run(connection: Connection) -> None:
    """Run the migrations inside the caller's transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,  # SQLite cannot alter most things in place
        transaction_per_migration=False,
        # Alembic would commit each migration on SQLite; ours begin with BEGIN, as everything does.
        transactional_ddl=True,
    )
    context.run_migrations()


run(context.config.attributes["connection"])
