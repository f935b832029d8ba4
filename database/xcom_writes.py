"""Writes XComs in batches: a push replaces what stood under the same key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Executable

from .tables import xcom
from .upserts import insert_on_conflict


def write_xcoms(connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Store XComs. Each row: dag_run_id, task_id, map_index, key, value, length."""
    if rows:
        connection.execute(
            _upsert(connection.dialect.name), [{**row, "created_at": now} for row in rows]
        )


@lru_cache(maxsize=2)
def _upsert(dialect: str) -> Executable:
    made = insert_on_conflict(xcom, dialect)
    statement: Executable = made.on_conflict_do_update(
        index_elements=[xcom.c.dag_run_id, xcom.c.task_id, xcom.c.map_index, xcom.c.key],
        set_={name: made.excluded[name] for name in ("value", "length", "created_at")},
    )
    return statement
