"""Takes away what nobody will ask for again, a little at a time.

Each part looks at the oldest rows only, and at a bounded number of them, so that it costs the
same whatever lies behind. Runs and their task instances are history, and are kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from .tables import outbox, worker

#: Callbacks that were delivered, or that nobody will try again, are shown for so long.
OUTBOX_KEPT = timedelta(days=7)
#: Runners that are gone; attempts keep the name of their machine themselves.
WORKERS_KEPT = timedelta(days=7)
#: So many rows at once: a transaction of a few milliseconds.
ROWS_AT_ONCE = 500


def trim_outbox(connection: Connection, now: datetime) -> int:
    """Remove old messages that do not wait any more; return how many went."""
    oldest = (
        select(outbox.c.id, outbox.c.state, outbox.c.created_at)
        .order_by(outbox.c.id)
        .limit(ROWS_AT_ONCE)
        .subquery()
    )
    old = select(oldest.c.id).where(
        oldest.c.state != "waiting", oldest.c.created_at < now - OUTBOX_KEPT
    )
    return connection.execute(delete(outbox).where(outbox.c.id.in_(old))).rowcount


def trim_workers(connection: Connection, now: datetime) -> int:
    """Remove runners that ended long ago; return how many went."""
    old = (
        select(worker.c.id)
        .where(worker.c.state != "alive", worker.c.renewed_at < now - WORKERS_KEPT)
        .limit(ROWS_AT_ONCE)
    )
    return connection.execute(delete(worker).where(worker.c.id.in_(old))).rowcount
