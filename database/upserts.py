"""Inserts that may meet a row of the same key: both databases spell them alike, in modules apart.

Only the module of the database that is used is imported: each is 1 to 2 MB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Table


def insert_on_conflict(table: Table, dialect: str) -> Any:
    """Return an INSERT that has ``on_conflict_do_update``, for "postgresql" or "sqlite"."""
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_on_postgresql

        return insert_on_postgresql(table)
    from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

    return insert_on_sqlite(table)
