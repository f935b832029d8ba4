"""A backfill is over when none of its runs is unfinished."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, func, select, text, update

from .tables import backfill, dag_run
from .tables.runs import UNFINISHED_RUN

_COMPLETE = (
    update(backfill)
    .where(
        backfill.c.id == bindparam("held_id"),
        backfill.c.completed_at.is_(None),
        ~exists(
            select(dag_run.c.id).where(
                text(f"dag_run.{UNFINISHED_RUN}"), dag_run.c.backfill_id == bindparam("held_id")
            )
        ),
    )
    .values(completed_at=bindparam("new_completed_at", type_=backfill.c.completed_at.type))
)

_LAST_END = select(func.max(dag_run.c.ended_at)).where(
    dag_run.c.backfill_id == bindparam("held_id")
)


def complete_backfill(connection: Connection, backfill_id: int, now: datetime | None) -> bool:
    """Complete a backfill if all its runs have ended; return whether this did it.

    Args:
        now: None: it ended with its last run.
    """
    ended_at = now or connection.execute(_LAST_END, {"held_id": backfill_id}).scalar()
    if ended_at is None:
        return False
    done = connection.execute(_COMPLETE, {"held_id": backfill_id, "new_completed_at": ended_at})
    return done.rowcount == 1
