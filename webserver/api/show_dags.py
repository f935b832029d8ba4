"""DAGs, their versions and tasks as each version of the API shows them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from . import answers_v1 as a1
from . import answers_v2 as a2
from . import task_answers_v1 as t1
from . import task_answers_v2 as t2
from .file_tokens import make_file_token

if TYPE_CHECKING:
    from ...database.listings import VersionRecord
    from ...database.values import DagRow
    from ...database.versions import Version
    from ...sdk.serialized import SerializedDag, SerializedParam, SerializedTask
    from .call import Call

BUNDLE = "dags-folder"


def dag_fields_v1(row: DagRow, version: Version) -> dict[str, Any]:
    """Return the fields of version 1's DAG."""
    dag = version.dag
    return {
        "dag_id": row.dag_id,
        "dag_display_name": row.dag_display_name or row.dag_id,
        "is_paused": row.is_paused,
        "is_active": row.is_active,
        "is_subdag": False,
        "last_parsed_time": row.last_parsed_at,
        "default_view": "grid",
        "fileloc": row.fileloc,
        "file_token": make_file_token(row.relative_fileloc),
        "owners": owners(row),
        "description": row.description or None,
        "schedule_interval": _schedule(dag),
        "timetable_description": row.timetable_description,
        "tags": [a1.Tag(name=name) for name in row.tags],
        "max_active_tasks": row.max_active_tasks,
        "max_active_runs": row.max_active_runs,
        "has_task_concurrency_limits": version.has_task_limits,
        "has_import_errors": row.has_import_errors,
        "next_dagrun": row.next_logical_date,
        "next_dagrun_data_interval_start": row.next_data_interval_start,
        "next_dagrun_data_interval_end": row.next_data_interval_end,
        "next_dagrun_create_after": row.next_run_after,
        "max_consecutive_failed_dag_runs": dag.max_consecutive_failed_dag_runs,
    }


def dag_fields_v2(row: DagRow, version: Version) -> dict[str, Any]:
    """Return the fields of version 2's DAG."""
    dag = version.dag
    return {
        "dag_id": row.dag_id,
        "dag_display_name": row.dag_display_name or row.dag_id,
        "is_paused": row.is_paused,
        "is_stale": not row.is_active,
        "last_parsed_time": row.last_parsed_at,
        "last_parse_duration": None,
        "last_expired": None,
        "bundle_name": BUNDLE,
        "bundle_version": None,
        "relative_fileloc": row.relative_fileloc,
        "fileloc": row.fileloc,
        "description": row.description or None,
        "timetable_summary": row.timetable_summary or None,
        "timetable_description": row.timetable_description or None,
        "timetable_partitioned": False,
        "timetable_periodic": dag.timetable.periodic,
        "tags": [
            a2.DagTagResponse(name=name, dag_id=row.dag_id, dag_display_name=row.dag_display_name)
            for name in row.tags
        ],
        "max_active_tasks": row.max_active_tasks,
        "max_active_runs": row.max_active_runs,
        "max_consecutive_failed_dag_runs": dag.max_consecutive_failed_dag_runs,
        "has_task_concurrency_limits": version.has_task_limits,
        "has_import_errors": row.has_import_errors,
        "next_dagrun_logical_date": row.next_logical_date,
        "next_dagrun_data_interval_start": row.next_data_interval_start,
        "next_dagrun_data_interval_end": row.next_data_interval_end,
        "next_dagrun_run_after": row.next_run_after,
        "allowed_run_types": dag.allowed_run_types,
        "owners": owners(row),
        "is_backfillable": dag.timetable.periodic and dag.timetable.kind != "null",
        "file_token": make_file_token(row.relative_fileloc),
    }


def show_dags(call: Call, rows: Sequence[DagRow]) -> list[Any]:
    """Return DAGs as the version that was called shows them."""
    versions = call.store.listings.versions([row.version_id for row in rows])
    shown: list[Any] = []
    for row in rows:
        record = versions.get(row.version_id)
        version = record.version if record else call.store.dags.newest(row.dag_id)
        if call.version == 1:
            shown.append(a1.DAG(**dag_fields_v1(row, version)))
        else:
            shown.append(a2.DAGResponse(**dag_fields_v2(row, version)))
    return shown


def show_details(call: Call, row: DagRow, *, is_favorite: bool) -> Any:
    """Return one DAG with all that its file says."""
    record = call.store.listings.versions([row.version_id])[row.version_id]
    dag = record.version.dag
    shared: dict[str, Any] = {
        "catchup": dag.catchup,
        "timezone": dag.timezone,
        "start_date": dag.start_at,
        "end_date": dag.end_at,
        "doc_md": dag.doc_md or None,
        "is_paused_upon_creation": dag.is_paused_upon_creation,
        "last_parsed": row.last_parsed_at,
        "render_template_as_native_obj": dag.render_template_as_native_obj,
        "concurrency": row.max_active_tasks,
    }
    if call.version == 1:
        return a1.DAGDetail(
            **dag_fields_v1(row, record.version),
            **shared,
            orientation="LR",
            dag_run_timeout=_delta_v1(dag.dagrun_timeout_s),
            dataset_expression=dag.asset_expression,
            params={param.name: _param_v1(param) for param in dag.params},
            template_search_path=[],
        )
    timeout = dag.dagrun_timeout_s
    return a2.DAGDetailsResponse(
        **dag_fields_v2(row, record.version),
        **shared,
        dag_run_timeout=None if timeout is None else f"PT{timeout:g}S",
        asset_expression=dag.asset_expression,
        params={param.name: _param_v2(param) for param in dag.params},
        template_search_path=None,
        default_args=None,
        owner_links=dag.owner_links,
        is_favorite=is_favorite,
        active_runs_count=sum(
            call.store.dags.unfinished_counts([row.dag_id]).get(row.dag_id, {}).values()
        ),
        latest_dag_version=show_version(record),
    )


def show_version(record: VersionRecord) -> a2.DagVersionResponse:
    """Return one DAG version."""
    version = record.version
    return a2.DagVersionResponse(
        id=str(uuid.UUID(int=version.id)),
        version_number=version.number,
        dag_id=version.dag_id,
        bundle_name=BUNDLE,
        bundle_version=None,
        created_at=record.created_at,
        dag_display_name=version.dag.dag_display_name or version.dag_id,
        bundle_url=None,
    )


def show_task(version_called: int, version: Version, task: SerializedTask) -> Any:
    """Return one task."""
    shared: dict[str, Any] = {
        "task_id": task.task_id,
        "task_display_name": task.task_display_name or task.task_id,
        "owner": task.owner,
        "start_date": task.start_at or version.dag.start_at,
        "end_date": task.end_at,
        "trigger_rule": task.trigger_rule,
        "depends_on_past": task.depends_on_past,
        "wait_for_downstream": task.wait_for_downstream,
        "retries": float(task.retries),
        "queue": task.queue,
        "pool": task.pool,
        "pool_slots": float(task.pool_slots),
        "priority_weight": float(task.priority_weight),
        "weight_rule": task.weight_rule,
        "ui_color": task.ui_color,
        "ui_fgcolor": task.ui_fgcolor,
        "template_fields": task.template_fields,
        "downstream_task_ids": sorted(version.structure.downstream_ids[task.task_id]),
        "doc_md": task.doc or None,
        "is_mapped": task.expansion is not None,
    }
    if version_called == 1:
        return t1.Task(
            **shared,
            class_ref=t1.ClassReference(module_path=task.task_module, class_name=task.task_type),
            executor=task.executor or None,
            execution_timeout=_delta_v1(task.execution_timeout_s),
            retry_delay=_delta_v1(task.retry_delay_s),
            retry_exponential_backoff=task.retry_exponential_backoff > 0,
        )
    return t2.TaskResponse(
        **shared,
        execution_timeout=_delta_v2(task.execution_timeout_s),
        retry_delay=_delta_v2(task.retry_delay_s),
        retry_exponential_backoff=task.retry_exponential_backoff,
        operator_name=task.operator_name or task.task_type,
        params=task.params,
        class_ref={"module_path": task.task_module, "class_name": task.task_type},
        extra_links=task.extra_links,
    )


def owners(row: DagRow) -> list[str]:
    """Return the owners of a DAG's tasks."""
    return [name for name in row.owners.split(", ") if name]


def _schedule(dag: SerializedDag) -> dict[str, Any] | None:
    timetable = dag.timetable
    seconds = timetable.data.get("delta")
    if isinstance(seconds, int | float):
        length = timedelta(seconds=seconds)
        parts = {
            "days": length.days,
            "seconds": length.seconds,
            "microseconds": length.microseconds,
        }
        return {"__type": "TimeDelta", **parts}
    if timetable.kind == "null" or not timetable.summary:
        return None
    return {"__type": "CronExpression", "value": timetable.summary}


def _delta_v1(seconds: float | None) -> a1.TimeDelta | None:
    if seconds is None:
        return None
    length = timedelta(seconds=seconds)
    return a1.TimeDelta(days=length.days, seconds=length.seconds, microseconds=length.microseconds)


def _delta_v2(seconds: float | None) -> t2.TimeDelta | None:
    if seconds is None:
        return None
    length = timedelta(seconds=seconds)
    return t2.TimeDelta(days=length.days, seconds=length.seconds, microseconds=length.microseconds)


def _param_v1(param: SerializedParam) -> dict[str, Any]:
    return {
        "__class": "airflow.models.param.Param",
        "value": param.default if param.has_default else None,
        "description": param.description or None,
        "schema": param.schema,
    }


def _param_v2(param: SerializedParam) -> dict[str, Any]:
    return {
        "value": param.default if param.has_default else None,
        "schema": param.schema,
        "description": param.description or None,
        "source": "dag",
    }
