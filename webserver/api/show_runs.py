"""Dag runs and task instances as each version of the API shows them.

Version 1 knows no run without a logical date: where there is none, ``run_after`` stands for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...sdk.states import TaskInstanceState
from . import answers_v1 as a1
from . import answers_v2 as a2
from . import task_answers_v1 as t1
from . import task_answers_v2 as t2
from .show_dags import show_version

if TYPE_CHECKING:
    from ...database.listings import InstanceRecord, VersionRecord
    from ...database.values import AttemptRow, RunRow, TaskInstanceRow
    from .call import Call

_RUN_TYPES_V1 = {
    "asset_triggered": "dataset_triggered",
    "operator_triggered": "manual",
    "asset_materialization": "manual",
}


def show_runs(call: Call, rows: Sequence[RunRow]) -> list[Any]:
    """Return runs as the version that was called shows them."""
    if call.version == 1:
        return [_run_v1(row) for row in rows]
    versions = call.store.listings.versions([row.version_id for row in rows])
    return [_run_v2(row, versions.get(row.version_id)) for row in rows]


def _run_v1(row: RunRow) -> a1.DAGRun:
    logical_date = row.logical_date or row.run_after
    return a1.DAGRun(
        dag_run_id=row.run_id,
        dag_id=row.dag_id,
        logical_date=logical_date,
        execution_date=logical_date,
        start_date=row.started_at,
        end_date=row.ended_at,
        data_interval_start=row.data_interval_start,
        data_interval_end=row.data_interval_end,
        last_scheduling_decision=row.last_decided_at,
        run_type=_RUN_TYPES_V1.get(row.run_type, row.run_type),
        state=row.state,
        external_trigger=row.external_trigger,
        conf=dict(row.conf or {}),
        note=row.note,
    )


def _run_v2(row: RunRow, record: VersionRecord | None) -> a2.DAGRunResponse:
    return a2.DAGRunResponse(
        dag_run_id=row.run_id,
        dag_id=row.dag_id,
        logical_date=row.logical_date,
        queued_at=row.queued_at,
        start_date=row.started_at,
        end_date=row.ended_at,
        duration=_duration_s(row.started_at, row.ended_at),
        data_interval_start=row.data_interval_start,
        data_interval_end=row.data_interval_end,
        run_after=row.run_after,
        last_scheduling_decision=row.last_decided_at,
        run_type=row.run_type,
        state=row.state,
        triggered_by=row.triggered_by,
        triggering_user_name=row.triggering_user,
        conf=None if row.conf is None else dict(row.conf),
        note=row.note,
        dag_versions=[] if record is None else [show_version(record)],
        bundle_version=None,
        dag_display_name=dag_name(row.dag_id, record),
        partition_key=None,
        partition_date=None,
    )


def show_instances(call: Call, records: Sequence[InstanceRecord]) -> list[Any]:
    """Return task instances as the version that was called shows them."""
    versions = call.store.listings.versions([one.row.version_id for one in records])
    rendered = call.store.listings.rendered([one.row.id for one in records])
    # Most of a list have one version: it is made ready once.
    ready = {version_id: show_version(record) for version_id, record in versions.items()}
    shown: list[Any] = []
    for one in records:
        version_id = one.row.version_id
        record = versions.get(version_id)
        fields = dict(rendered.get(one.row.id, {}))
        if call.version == 1:
            shown.append(_instance_v1(one, record, fields))
        else:
            shown.append(_instance_v2(one, record, ready.get(version_id), fields))
    return shown


def _instance_v1(
    one: InstanceRecord, record: VersionRecord | None, rendered: dict[str, Any]
) -> t1.TaskInstance:
    row = one.row
    return t1.TaskInstance(
        **_shared(row, record),
        execution_date=row.logical_date or one.run_after,
        unixname="",
        hostname=row.hostname,
        queued_when=row.queued_at.isoformat() if row.queued_at else None,
        rendered_map_index=row.rendered_map_index,
        rendered_fields=rendered,
        note=row.note,
    )


def _instance_v2(
    one: InstanceRecord,
    record: VersionRecord | None,
    shown_version: a2.DagVersionResponse | None,
    rendered: dict[str, Any],
) -> t2.TaskInstanceResponse:
    row = one.row
    return t2.TaskInstanceResponse(
        **_shared(row, record),
        **_more_v2(row, record, shown_version),
        id=str(uuid.UUID(int=row.id)),
        logical_date=row.logical_date,
        run_after=one.run_after,
        note=row.note,
        rendered_map_index=row.rendered_map_index,
        rendered_fields=rendered,
    )


def _shared(row: TaskInstanceRow, record: VersionRecord | None) -> dict[str, Any]:
    return {
        "task_id": row.task_id,
        "task_display_name": task_name(row.task_id, record),
        "dag_id": row.dag_id,
        "dag_run_id": row.run_id,
        "map_index": row.map_index,
        "start_date": row.started_at,
        "end_date": row.ended_at,
        "duration": row.duration_s,
        "state": state_text(row.state),
        "try_number": row.try_number,
        "max_tries": row.tries_max,
        "pool": row.pool,
        "pool_slots": row.pool_slots,
        "queue": row.queue,
        "priority_weight": row.priority_weight,
        "operator": row.operator_name or None,
        "pid": row.pid,
        "executor": row.executor or None,
        "executor_config": "{}",
    }


def _more_v2(
    row: TaskInstanceRow,
    record: VersionRecord | None,
    shown_version: a2.DagVersionResponse | None,
) -> dict[str, Any]:
    return {
        "dag_display_name": dag_name(row.dag_id, record),
        "hostname": row.hostname or None,
        "unixname": None,
        "operator_name": row.operator_name or None,
        "queued_when": row.queued_at,
        "scheduled_when": row.scheduled_at,
        "dag_version": shown_version,
    }


def show_tries(call: Call, row: TaskInstanceRow, attempts: Sequence[AttemptRow]) -> list[Any]:
    """Return one entry for each try of a task instance, the newest hand-out of each."""
    versions = call.store.listings.versions([row.version_id, *(a.version_id for a in attempts)])
    newest = {attempt.try_number: attempt for attempt in sorted(attempts, key=lambda a: a.epoch)}
    shown: list[Any] = []
    for number, attempt in sorted(newest.items()):
        record = versions.get(attempt.version_id)
        own = {
            "start_date": attempt.started_at or attempt.claimed_at,
            "end_date": attempt.ended_at,
            "duration": _duration_s(attempt.started_at, attempt.ended_at),
            "state": attempt_state(attempt, row),
            "try_number": number,
            "pid": attempt.pid,
        }
        shared = {**_shared(row, record), **own}
        if call.version == 1:
            shown.append(
                t1.TaskInstanceHistory(
                    **shared,
                    hostname=attempt.hostname,
                    unixname="",
                    queued_when=row.queued_at.isoformat() if row.queued_at else None,
                )
            )
        else:
            version = None if record is None else show_version(record)
            more = {**_more_v2(row, record, version), "hostname": attempt.hostname or None}
            shown.append(t2.TaskInstanceHistoryResponse(**shared, **more))
    return shown


def attempt_state(attempt: AttemptRow, row: TaskInstanceRow) -> str | None:
    """Return a try's end in the words that clients know."""
    if attempt.try_number == row.try_number:
        return state_text(row.state)
    if attempt.state in ("lost", "fenced", "returned", "up_for_retry"):
        return "failed"
    return "running" if attempt.state == "claimed" else attempt.state


def state_text(state: TaskInstanceState) -> str | None:
    """Return a state as clients know it: no state is null."""
    return None if state is TaskInstanceState.NONE else state.value


def task_name(task_id: str, record: VersionRecord | None) -> str:
    """Return the display name of a task in a version."""
    task = None if record is None else record.version.structure.tasks.get(task_id)
    return task_id if task is None else task.task_display_name or task_id


def dag_name(dag_id: str, record: VersionRecord | None) -> str:
    """Return the display name of a DAG in a version."""
    return dag_id if record is None else record.version.dag.dag_display_name or dag_id


def _duration_s(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()
