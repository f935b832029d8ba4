"""What lists can be filtered and ordered by: name in an address → column or expression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import String, case, cast, exists, func, select

from .durations import seconds_between
from .tables import (
    asset,
    asset_consumption,
    asset_event,
    asset_reference,
    dag,
    dag_file,
    dag_run,
    dag_version,
    event,
)
from .tables import task_instance as instance


def _version_number(version_id: Any) -> Any:
    return (
        select(dag_version.c.version_number)
        .where(dag_version.c.id == version_id)
        .correlate(dag_run, instance)
        .scalar_subquery()
    )


def _asset_names() -> Any:
    """The names of the assets whose events made a run, as one text."""
    return (
        select(func.aggregate_strings(asset.c.name, " "))
        .join(asset_event, asset_event.c.asset_id == asset.c.id)
        .join(asset_consumption, asset_consumption.c.event_id == asset_event.c.id)
        .where(asset_consumption.c.dag_run_id == dag_run.c.id)
        .correlate(dag_run)
        .scalar_subquery()
    )


RUN_FIELDS: Mapping[str, Any] = {
    "id": dag_run.c.id,
    "dag_id": dag_run.c.dag_id,
    "run_id": dag_run.c.run_id,
    "dag_run_id": dag_run.c.run_id,
    "state": dag_run.c.state,
    "run_type": dag_run.c.run_type,
    "logical_date": dag_run.c.logical_date,
    "execution_date": func.coalesce(dag_run.c.logical_date, dag_run.c.run_after),
    "run_after": dag_run.c.run_after,
    "queued_at": dag_run.c.queued_at,
    "start_date": dag_run.c.started_at,
    "end_date": dag_run.c.ended_at,
    "updated_at": func.coalesce(dag_run.c.ended_at, dag_run.c.last_decided_at, dag_run.c.queued_at),
    "duration": seconds_between(dag_run.c.started_at, dag_run.c.ended_at),
    "external_trigger": dag_run.c.external_trigger,
    "triggering_user_name": dag_run.c.triggering_user,
    "conf_contains": cast(dag_run.c.conf, String),
    "version_id": dag_run.c.version_id,
    "dag_version": _version_number(dag_run.c.version_id),
    "consuming_asset": _asset_names(),
}
INSTANCE_FIELDS: Mapping[str, Any] = {
    "id": instance.c.id,
    "dag_id": dag_run.c.dag_id,
    "run_id": dag_run.c.run_id,
    "dag_run_id": dag_run.c.run_id,
    "task_id": instance.c.task_id,
    "map_index": instance.c.map_index,
    "rendered_map_index": instance.c.rendered_map_index,
    "state": instance.c.state,
    "pool": instance.c.pool,
    "queue": instance.c.queue,
    "executor": instance.c.executor,
    "operator": instance.c.operator_name,
    "try_number": instance.c.try_number,
    "priority_weight": instance.c.priority_weight,
    "logical_date": dag_run.c.logical_date,
    "execution_date": func.coalesce(dag_run.c.logical_date, dag_run.c.run_after),
    "run_after": dag_run.c.run_after,
    "start_date": instance.c.started_at,
    "end_date": instance.c.ended_at,
    "queued_when": instance.c.queued_at,
    "scheduled_when": instance.c.scheduled_at,
    "updated_at": func.coalesce(instance.c.ended_at, instance.c.started_at, instance.c.queued_at),
    "duration": seconds_between(instance.c.started_at, instance.c.ended_at),
    "version_number": _version_number(instance.c.version_id),
}


def _newest_run(column: Any) -> Any:
    return (
        select(column)
        .where(dag_run.c.dag_id == dag.c.dag_id)
        .order_by(dag_run.c.run_after.desc(), dag_run.c.id.desc())
        .limit(1)
        .correlate(dag)
        .scalar_subquery()
    )


def _scheduled_on() -> Any:
    """The names and URIs of the assets that a DAG waits for, as one text."""
    named = asset_reference.c.name + " " + asset_reference.c.uri
    return (
        select(func.aggregate_strings(named, " "))
        .where(asset_reference.c.dag_id == dag.c.dag_id, asset_reference.c.kind == "schedule")
        .correlate(dag)
        .scalar_subquery()
    )


DAG_FIELDS: Mapping[str, Any] = {
    "dag_id": dag.c.dag_id,
    "dag_display_name": dag.c.dag_display_name,
    "is_paused": dag.c.is_paused,
    "is_active": dag.c.is_active,
    "owners": dag.c.owners,
    "has_import_errors": case((dag_file.c.error.is_not(None), True), else_=False),
    "next_dagrun": dag.c.next_run_after,
    "next_dagrun_run_after": dag.c.next_run_after,
    "last_parsed_time": dag.c.last_parsed_at,
    "timetable_type": dag.c.timetable_summary,
    "has_asset_schedule": exists(
        select(asset_reference.c.dag_id)
        .where(asset_reference.c.dag_id == dag.c.dag_id, asset_reference.c.kind == "schedule")
        .correlate(dag)
    ),
    "asset_dependency": _scheduled_on(),
    "dag_run_start_date": _newest_run(dag_run.c.started_at),
    "dag_run_end_date": _newest_run(dag_run.c.ended_at),
    "last_dag_run_state": _newest_run(dag_run.c.state),
}
EVENT_FIELDS: Mapping[str, Any] = {
    "id": event.c.id,
    "event_log_id": event.c.id,
    "when": event.c.at,
    "dttm": event.c.at,
    "dag_id": event.c.dag_id,
    "task_id": event.c.task_id,
    "run_id": event.c.run_id,
    "map_index": event.c.map_index,
    "event": event.c.kind,
    "owner": func.replace(event.c.actor, "user:", ""),
}
