"""Callbacks that nobody in a task process can run any more become rows of the outbox.

They stand in the transaction that ends the try or the run, so that an accepted failure always
has its callback (G-U4).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from ..sdk.serialized import SerializedTask
from ..sdk.states import DagRunState, TaskInstanceState
from .backfill_ends import complete_backfill
from .event_writes import Event
from .snapshots import LoadedRun
from .tables import dag, dag_run, outbox

_INSERT = insert(outbox)

_LAST_STATES = (
    select(dag_run.c.state)
    .where(dag_run.c.dag_id == bindparam("dag_id"), dag_run.c.ended_at.is_not(None))
    .order_by(dag_run.c.run_after.desc())
    .limit(bindparam("limit"))
)

_PAUSE = (
    update(dag)
    .where(dag.c.dag_id == bindparam("held_dag_id"), dag.c.is_paused.is_(False))
    .values(is_paused=True)
)


def write_outbox(
    connection: Connection,
    kind: str,
    dag_id: str,
    payload: Mapping[str, Any],
    now: datetime,
    *,
    due_at: datetime | None = None,
) -> None:
    """Leave one message to be delivered, not before *due_at*."""
    connection.execute(
        _INSERT,
        {
            "kind": kind,
            "dag_id": dag_id,
            "payload": dict(payload),
            "created_at": now,
            "due_at": due_at or now,
        },
    )


def wants_callback(task: SerializedTask, new: TaskInstanceState) -> bool:
    """Tell whether a callback wants to hear of this end of a try."""
    if new is TaskInstanceState.FAILED:
        return "failure" in task.callbacks
    return new is TaskInstanceState.UP_FOR_RETRY and "retry" in task.callbacks


def wants_mail(task: SerializedTask, new: TaskInstanceState) -> bool:
    """Tell whether a mail is to be sent about this end of a try."""
    if not task.email:
        return False
    if new is TaskInstanceState.FAILED:
        return task.email_on_failure
    return new is TaskInstanceState.UP_FOR_RETRY and task.email_on_retry


def note_run_end(
    connection: Connection,
    loaded: LoadedRun,
    new: DagRunState,
    reason: str,
    now: datetime,
    actor: str,
) -> list[Event]:
    """Leave the DAG's callback, and pause it after too many failures in a row.

    Returns:
        Entries for the event log.
    """
    snapshot, serialized = loaded.snapshot, loaded.version.dag
    if loaded.backfill_id is not None:
        complete_backfill(connection, loaded.backfill_id, now)
    kind = "success" if new is DagRunState.SUCCESS else "failure"
    if kind in serialized.callbacks:
        write_outbox(
            connection,
            "dag_callback",
            snapshot.dag_id,
            {
                "callback": kind,
                "run_id": snapshot.run_id,
                "reason": reason,
                "relative_fileloc": serialized.relative_fileloc,
                "version_id": loaded.version.id,
            },
            now,
        )
    failures_max = serialized.max_consecutive_failed_dag_runs
    if new is not DagRunState.FAILED or failures_max <= 0:
        return []
    states = connection.execute(
        _LAST_STATES, {"dag_id": snapshot.dag_id, "limit": failures_max}
    ).scalars()
    last = list(states)
    if len(last) < failures_max or any(state != DagRunState.FAILED.value for state in last):
        return []
    if connection.execute(_PAUSE, {"held_dag_id": snapshot.dag_id}).rowcount != 1:
        return []
    why = f"its last {failures_max} runs failed"
    return [Event("dag.paused", actor, snapshot.dag_id, detail={"reason": why})]
