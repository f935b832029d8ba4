"""Marks task instances by hand (semantics 5.13): their state is set, failures below run again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from ..sdk.states import FAILED_STATES, DagRunState, TaskInstanceState
from . import state_writes
from .clears import clear_rows, held_from_full
from .event_writes import Event, describe, write_events
from .run_marks import requeue_run
from .selections import ROWS
from .settle import Settling
from .tables import dag_run, task_instance


def mark_instances(settling: Settling, rows: Sequence[Any], wanted: TaskInstanceState) -> None:
    """Mark *rows* inside the caller's transaction, and decide their runs."""
    connection, now = settling.connection, settling.now
    moves = [
        state_writes.stop(held_from_full(row), wanted, now, f"marked by {settling.actor}")
        for row in rows
        if row.state != wanted.value
    ]
    won = state_writes.write_moves(connection, moves, by_user=True)
    beside = {row.id: row for row in rows}
    for move in won:
        row = beside[move.held.id]
        settling.events.append(
            Event(
                "task.marked",
                settling.actor,
                row.dag_id,
                row.run_id,
                row.task_id,
                row.map_index,
                {"changes": [describe(move)]},
            )
        )
    for dag_run_id in sorted({row.dag_run_id for row in rows}):
        marked = {row.task_id for row in rows if row.dag_run_id == dag_run_id}
        _clear_failures_below(settling, dag_run_id, marked)
    run_ids = sorted({row.dag_run_id for row in rows})
    dag_ids = sorted({row.dag_id for row in rows})
    started = settling.start_queued(dag_ids) if dag_ids else []
    settling.settle([*started, *run_ids])
    settling.queue_following(always=True)
    write_events(connection, settling.events, now)


def _clear_failures_below(settling: Settling, dag_run_id: int, marked: set[str]) -> None:
    """Clear what failed below the marked tasks, and queue the run again if it had ended."""
    connection = settling.connection
    run = connection.execute(select(dag_run).where(dag_run.c.id == dag_run_id)).one()
    structure = settling.versions.get(connection, run.version_id).structure
    below = set(structure.downstream_closure(marked)) - marked
    rows = connection.execute(
        ROWS.where(
            task_instance.c.dag_run_id == dag_run_id,
            task_instance.c.task_id.in_(sorted(below)),
            task_instance.c.state.in_([state.value for state in FAILED_STATES]),
        )
    ).all()
    if not rows:
        return
    clear_rows(settling, rows, None, f"a task above was marked by {settling.actor}")
    requeue_run(connection, dag_run_id, DagRunState(run.state), settling.now)
