"""Takes away what nobody will ask for again, a little at a time.

Each part looks at the oldest rows only, and at a bounded number of them, so that it costs the
same whatever lies behind. Runs and their task instances are history, and are kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, Integer, bindparam, delete, select

from .tables import outbox, worker

#: Callbacks that were delivered, or that nobody will try again, are shown for so long.
OUTBOX_KEPT = timedelta(days=7)
#: Runners that are gone; attempts keep the name of their machine themselves.
WORKERS_KEPT = timedelta(days=7)
#: So many rows at once: a transaction of a few milliseconds.
ROWS_AT_ONCE = 500


_oldest = (
    select(outbox.c.id, outbox.c.state, outbox.c.created_at)
    .order_by(outbox.c.id)
    .limit(bindparam("most", type_=Integer))
    .subquery()
)
_OLD_MESSAGES = delete(outbox).where(
    outbox.c.id.in_(
        select(_oldest.c.id).where(
            _oldest.c.state != "waiting",
            _oldest.c.created_at < bindparam("before", type_=outbox.c.created_at.type),
        )
    )
)
_OLD_WORKERS = delete(worker).where(
    worker.c.id.in_(
        select(worker.c.id)
        .where(
            worker.c.state != "alive",
            worker.c.renewed_at < bindparam("before", type_=worker.c.renewed_at.type),
        )
        .limit(bindparam("most", type_=Integer))
    )
)


def trim_outbox(connection: Connection, now: datetime) -> int:
    """Remove old messages that do not wait any more; return how many went."""
    some = {"before": now - OUTBOX_KEPT, "most": ROWS_AT_ONCE}
    return connection.execute(_OLD_MESSAGES, some).rowcount


def trim_workers(connection: Connection, now: datetime) -> int:
    """Remove runners that ended long ago; return how many went."""
    some = {"before": now - WORKERS_KEPT, "most": ROWS_AT_ONCE}
    return connection.execute(_OLD_WORKERS, some).rowcount
