"""Marks a whole dag run by hand (semantics 5.13, section 11 row 21)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from ..sdk.states import FINISHED, DagRunState, TaskInstanceState
from . import state_writes
from .backfill_ends import complete_backfill
from .errors import NotAllowed
from .event_writes import Event, describe
from .settle import Settling
from .state_writes import HELD_COLUMNS, RunMove, held_from
from .tables import dag_run, task_instance
from .versions import VersionCache

_S = TaskInstanceState

#: What has begun takes the run's own end; what has not is skipped.
_BEGUN = frozenset({_S.RUNNING, _S.RESTARTING, _S.DEFERRED, _S.UP_FOR_RESCHEDULE})


def mark_run(
    connection: Connection,
    versions: VersionCache,
    row: Any,
    wanted: DagRunState,
    now: datetime,
    settling: Settling,
) -> None:
    """Give a run an end, or queue it again. Teardowns are left to end by themselves.

    Raises:
        NotAllowed: a person cannot make a run "running".
    """
    if wanted is DagRunState.RUNNING:
        raise NotAllowed("A run cannot be marked running: mark it queued, and it is started.")
    if wanted is DagRunState.QUEUED:
        requeue_run(connection, row.id, DagRunState(row.state), now)
        settling.settle(())
        return
    is_success = wanted is DagRunState.SUCCESS
    version = versions.get(connection, row.version_id)
    teardowns = {id_ for id_, task in version.structure.tasks.items() if task.is_teardown}
    instances = connection.execute(
        select(*HELD_COLUMNS).where(task_instance.c.dag_run_id == row.id)
    ).all()
    held = [held_from(one) for one in instances]
    moves = [
        state_writes.stop(
            one,
            (_S.SUCCESS if is_success else _S.FAILED) if one.state in _BEGUN else _S.SKIPPED,
            now,
            f"the run was marked {wanted}",
        )
        for one in held
        if one.state not in FINISHED and one.task_id not in teardowns
    ]
    won = state_writes.write_moves(connection, moves, by_user=True)
    settling.events.append(
        Event(
            "state",
            settling.actor,
            row.dag_id,
            row.run_id,
            detail={"changes": [describe(move) for move in won]},
        )
    )
    is_pending = any(one.state not in FINISHED and one.task_id in teardowns for one in held)
    if is_pending and row.state == DagRunState.RUNNING.value:
        settling.settle([row.id])  # it ends when its teardowns have
        return
    if row.state != wanted.value:
        _end_by_hand(connection, row, wanted, now, settling)


def _end_by_hand(
    connection: Connection, row: Any, wanted: DagRunState, now: datetime, settling: Settling
) -> None:
    """Write the run's end, and let the next one of its DAG start."""
    move = RunMove(
        row.id,
        DagRunState(row.state),
        wanted,
        f"marked {wanted}",
        {"ended_at": now, "wake_at": None, "started_at": row.started_at or now},
    )
    state_writes.write_run_move(connection, move)
    if row.backfill_id is not None:
        complete_backfill(connection, row.backfill_id, now)
    settling.settle(settling.start_queued([row.dag_id]))


def requeue_run(
    connection: Connection,
    dag_run_id: int,
    state: DagRunState,
    now: datetime,
    *,
    version_id: int | None = None,
    count_clear: bool = False,
) -> None:
    """Put a run back into the queue of runs; a queued or running one stays as it is."""
    values: dict[str, Any] = {}
    if version_id is not None:
        values["version_id"] = version_id
    if count_clear:
        values["clear_number"] = dag_run.c.clear_number + 1
    if values:
        connection.execute(update(dag_run).where(dag_run.c.id == dag_run_id).values(values))
    if state in (DagRunState.SUCCESS, DagRunState.FAILED):
        state_writes.write_run_move(
            connection,
            RunMove(
                dag_run_id,
                state,
                DagRunState.QUEUED,
                "",
                {
                    "queued_at": now,
                    "started_at": None,
                    "ended_at": None,
                    "last_decided_at": None,
                    "wake_at": None,
                },
            ),
        )
