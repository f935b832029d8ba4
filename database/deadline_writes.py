"""Deadlines of runs: messages of the outbox that are due when a run is late.

A run that ends in time takes them back; one that does not leaves them to be delivered, once.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select

from ..planning.deadlines import RunTimes, deadline_at
from ..sdk.serialized import SerializedDag
from ..sdk.states import DagRunState
from .outbox_writes import write_outbox
from .tables import dag_run, outbox

KIND = "deadline"


def write_deadlines(
    connection: Connection,
    serialized: SerializedDag,
    run_id: str,
    *,
    version_id: int,
    logical_date: datetime | None,
    now: datetime,
    only_queued_at: bool = False,
) -> None:
    """Leave a message for each deadline of a run that has just been queued.

    Args:
        only_queued_at: the run was cleared: those that count from its creation stay as they are.
    """
    for index, deadline in enumerate(serialized.deadlines):
        if only_queued_at and deadline.kind != "queued_at":
            continue
        durations: tuple[float, ...] = ()
        if deadline.kind == "average_runtime":
            durations = _durations(connection, serialized.dag_id, deadline.max_runs)
        at = deadline_at(deadline, RunTimes(logical_date, now, now, durations))
        if at is None:
            continue
        write_outbox(
            connection,
            KIND,
            serialized.dag_id,
            {
                "run_id": run_id,
                "index": index,
                "name": deadline.name,
                "deadline_at": at.isoformat(),
                "queued_at": now.isoformat(),
                "is_of_queueing": deadline.kind == "queued_at",
                "reason": f"the run has not ended by {at.isoformat()}",
                "relative_fileloc": serialized.relative_fileloc,
                "version_id": version_id,
            },
            now,
            due_at=max(at, now),
        )


def drop_deadlines(
    connection: Connection, serialized: SerializedDag, run_id: str, now: datetime
) -> None:
    """Take back the messages of a run that has ended, where it was not late."""
    if not serialized.deadlines:
        return
    waiting = connection.execute(
        select(outbox.c.id, outbox.c.payload).where(
            outbox.c.kind == KIND,
            outbox.c.dag_id == serialized.dag_id,
            outbox.c.state == "waiting",
            outbox.c.due_at > now,
            outbox.c.tries == 0,
        )
    ).all()
    ids = [row.id for row in waiting if row.payload.get("run_id") == run_id]
    if ids:
        connection.execute(delete(outbox).where(outbox.c.id.in_(ids)))


def _durations(connection: Connection, dag_id: str, limit: int) -> tuple[float, ...]:
    rows = connection.execute(
        select(dag_run.c.started_at, dag_run.c.ended_at)
        .where(
            dag_run.c.dag_id == dag_id,
            dag_run.c.state == DagRunState.SUCCESS.value,
            dag_run.c.started_at.is_not(None),
            dag_run.c.ended_at.is_not(None),
        )
        .order_by(dag_run.c.ended_at.desc())
        .limit(limit)
    ).all()
    return tuple((row.ended_at - row.started_at).total_seconds() for row in rows)
