"""Clears task instances (semantics 5.12): they run again with fresh tries and a new epoch.

A running one becomes restarting; its runner sees that it is fenced and kills it. A clear is the
act that moves a run to the newest DAG version: tasks that are new get rows, tasks that are gone
are removed (R11).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from ..planning.expand import initial_instances
from ..sdk.states import FINISHED, DagRunState, RunType, TaskInstanceState
from . import state_writes
from .deadline_writes import write_deadlines
from .event_writes import Event, describe, write_events
from .instance_rows import create_rows
from .run_marks import requeue_run
from .selections import Selection
from .settle import Settling
from .state_writes import HELD_COLUMNS, Held, Move, held_from
from .tables import dag, dag_run, task_instance
from .versions import Version

_S = TaskInstanceState


def clear_instances(
    settling: Settling,
    selection: Selection,
    rows: Sequence[Any],
    *,
    reset_dag_runs: bool,
    on_latest_version: bool | None,
) -> None:
    """Clear *rows* inside the caller's transaction, and decide their runs.

    Args:
        on_latest_version: None: as the DAG says in its newest version, else True.
    """
    connection, now = settling.connection, settling.now
    run_ids = sorted({row.dag_run_id for row in rows})
    newest = settling.versions.get(
        connection,
        connection.execute(
            select(dag.c.version_id).where(dag.c.dag_id == selection.dag_id)
        ).scalar_one(),
    )
    if on_latest_version is None:
        on_latest_version = newest.dag.rerun_with_latest_version is not False
    clear_rows(
        settling, rows, newest if on_latest_version else None, f"cleared by {settling.actor}"
    )
    for run_id in run_ids:
        run = connection.execute(select(dag_run).where(dag_run.c.id == run_id)).one()
        if on_latest_version:
            move_to_version(settling, run, newest)
        if reset_dag_runs:
            requeue_run(connection, run_id, DagRunState(run.state), now, count_clear=True)
            write_deadlines(
                connection,
                settling.versions.get(connection, run.version_id).dag,
                run.run_id,
                version_id=run.version_id,
                logical_date=run.logical_date,
                now=now,
                only_queued_at=True,
            )
    write_events(connection, _cleared_events(settling.actor, selection.dag_id, rows), now)
    settling.settle([*settling.start_queued([selection.dag_id]), *run_ids])
    settling.queue_following()
    write_events(connection, settling.events, now)


def _cleared_events(actor: str, dag_id: str, rows: Sequence[Any]) -> list[Event]:
    """Return one event for each run, with what of it was cleared."""
    by_run: dict[str, list[list[Any]]] = {}
    for row in rows:
        by_run.setdefault(row.run_id, []).append([row.id, row.task_id, row.map_index])
    return [
        Event("task.cleared", actor, dag_id, run_id=run_id, detail={"task_instances": instances})
        for run_id, instances in by_run.items()
    ]


def clear_rows(
    settling: Settling, rows: Sequence[Any], newest: Version | None, reason: str
) -> list[Move]:
    """Clear rows (with all columns of ``task_instance``) inside the caller's transaction."""
    moves: list[Move] = []
    run_ids: dict[int, tuple[str, str]] = {}
    for row in rows:
        held = held_from_full(row)
        run_ids[held.id] = (row.dag_id, row.run_id)
        version = newest or settling.versions.get(settling.connection, held.version_id)
        task = version.structure.tasks.get(held.task_id)
        if task is None:
            tries_max = max(held.tries_max, held.try_number)
            version_id = held.version_id
        else:
            tries_max = held.try_number + task.retries
            version_id = version.id
        moves.append(state_writes.clear(held, tries_max, version_id, reason))
    won = state_writes.write_moves(settling.connection, moves, by_user=True)
    for move in won:
        dag_id, run_id = run_ids[move.held.id]
        settling.events.append(
            Event("state", settling.actor, dag_id, run_id, detail={"changes": [describe(move)]})
        )
    return won


def move_to_version(settling: Settling, run: Any, newest: Version) -> None:
    """Give a run the newest structure: new tasks get rows, and so do those that came back.

    Unfinished ones that are gone are removed.
    """
    if run.version_id == newest.id:
        return
    connection = settling.connection
    rows = connection.execute(
        select(*HELD_COLUMNS).where(task_instance.c.dag_run_id == run.id)
    ).all()
    held = [held_from(row) for row in rows]
    known = {one.task_id for one in held}
    unmapped = _no_longer_mapped(newest, held)
    wanted = [
        (task_id, map_index)
        for task_id, map_index in initial_instances(
            newest.structure, RunType(run.run_type), run.logical_date
        )
        if task_id not in known or task_id in {one.task_id for one in unmapped}
    ]
    create_rows(connection, run.id, newest, wanted)
    gone = [
        state_writes.stop(one, _S.REMOVED, settling.now, "the DAG has no such task any more")
        for one in held
        if one.task_id not in newest.structure.tasks
        and one.state not in FINISHED
        and one.state is not _S.RESTARTING
    ]
    gone += [
        state_writes.stop(one, _S.REMOVED, settling.now, "the task is not mapped any more")
        for one in unmapped
        if one.state is not _S.RESTARTING
    ]
    before = settling.versions.get(connection, run.version_id).structure.tasks
    back = [
        state_writes.clear(
            one,
            one.try_number + newest.structure.tasks[one.task_id].retries,
            newest.id,
            "the DAG has this task again",
        )
        for one in held
        if one.state is _S.REMOVED
        and one.task_id in newest.structure.tasks
        and one.task_id not in before
    ]
    won = state_writes.write_moves(connection, [*gone, *back], by_user=True)
    if won:
        settling.events.append(
            Event(
                "state",
                settling.actor,
                run.dag_id,
                run.run_id,
                detail={"changes": [describe(move) for move in won]},
            )
        )
    _take_over_settings(settling, run.id, newest, known)
    connection.execute(update(dag_run).where(dag_run.c.id == run.id).values(version_id=newest.id))


def _no_longer_mapped(newest: Version, held: Sequence[Held]) -> list[Held]:
    """Return unfinished instances of tasks that were mapped, and in *newest* are not."""
    return [
        one
        for one in held
        if one.map_index >= 0
        and one.state not in FINISHED
        and one.task_id in newest.structure.tasks
        and not newest.structure.expansions[one.task_id]
    ]


def _take_over_settings(
    settling: Settling, dag_run_id: int, newest: Version, known: set[str]
) -> None:
    """Let unfinished instances follow the new version's pool, queue and weight."""
    for task_id in known & set(newest.structure.tasks):
        task = newest.structure.tasks[task_id]
        settling.connection.execute(
            update(task_instance)
            .where(
                task_instance.c.dag_run_id == dag_run_id,
                task_instance.c.task_id == task_id,
                task_instance.c.state.not_in([state.value for state in FINISHED]),
            )
            .values(
                version_id=newest.id,
                pool=task.pool,
                pool_slots=task.pool_slots,
                queue=task.queue,
                executor=task.executor,
                priority_weight=task.effective_priority_weight,
                operator_name=task.operator_name or task.task_type,
            )
        )


def held_from_full(row: Any) -> Held:
    """Make a ``Held`` of a row that has all columns of ``task_instance``, by name."""
    return Held(
        row.id,
        row.dag_run_id,
        row.task_id,
        row.map_index,
        TaskInstanceState(row.state),
        row.epoch,
        row.claim_id,
        row.try_number,
        row.tries_max,
        row.started_at,
        row.first_started_at,
        row.version_id,
    )
