"""Deadlines of runs: messages of the outbox that are due when a run is late.

A run that ends in time takes them back; one that does not leaves them to be delivered, once.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, select

from ..planning.deadlines import RunTimes, deadline_at
from ..sdk.deadline import OWN, OWN_OF_QUEUEING
from ..sdk.serialized import SerializedDag
from ..sdk.states import DagRunState
from .outbox_writes import write_outbox
from .tables import dag_run, outbox

KIND = "deadline"
_OF_QUEUEING = frozenset({"queued_at", OWN_OF_QUEUEING})


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
        if only_queued_at and deadline.kind not in _OF_QUEUEING:
            continue
        is_own = deadline.kind in (OWN, OWN_OF_QUEUEING)
        durations: tuple[float, ...] = ()
        if deadline.kind == "average_runtime":
            durations = _durations(connection, serialized.dag_id, deadline.max_runs)
        times = RunTimes(logical_date, now, now, durations)
        at = None if is_own else deadline_at(deadline, times)
        if at is None and not is_own:
            continue
        write_outbox(
            connection,
            KIND,
            serialized.dag_id,
            {
                "run_id": run_id,
                "index": index,
                "name": deadline.name,
                # Empty: a callback child is to ask the file, and the message waits for it then.
                "deadline_at": "" if at is None else at.isoformat(),
                "interval_s": deadline.interval_s,
                "queued_at": now.isoformat(),
                "is_of_queueing": deadline.kind in _OF_QUEUEING,
                "reason": reason_of(at),
                "relative_fileloc": serialized.relative_fileloc,
                "version_id": version_id,
            },
            now,
            due_at=now if at is None else max(at, now),
        )


def reason_of(at: datetime | None) -> str:
    """Say why a deadline's message is delivered."""
    if at is None:
        return "its own reference is asked for the deadline"
    return f"the run has not ended by {at.isoformat()}"


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
