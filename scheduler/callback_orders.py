"""What a callback child is told: a message of the outbox, and the run and task that it is about."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..database.values import OutboxRow, RunRow, TaskInstanceRow
from ..runtime.supervise.requests import RequestScope
from ..runtime.task.callback_messages import CallbackOrder
from ..runtime.task.task_spec import TaskInstanceSpec
from ..sdk.states import TaskInstanceState
from .parse_settings import ParseSettings

_S = TaskInstanceState
_TASK_KINDS = {
    "task_failure_callback": ("task_failure", _S.FAILED),
    "task_retry_callback": ("task_retry", _S.UP_FOR_RETRY),
    "task_failure_mail": ("task_failure_mail", _S.FAILED),
    "task_retry_mail": ("task_retry_mail", _S.UP_FOR_RETRY),
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """An order, and the task instance in whose name its child asks."""

    order: CallbackOrder
    scope: RequestScope | None


def prepare_order(store: Any, row: OutboxRow, key: str, settings: ParseSettings) -> Prepared | None:
    """Return what the child is told; None where what the message is about was deleted.

    Raises:
        KeyError: no such kind of message is known.
    """
    payload = row.payload
    if row.kind == "sla_miss":
        return _sla_order(row, key, settings)
    run: RunRow | None = store.runs.find(row.dag_id, payload["run_id"])
    if run is None:
        return None
    if row.kind == "deadline":
        return _deadline_order(row, run, key, settings)
    if row.kind == "dag_callback":
        is_success = payload["callback"] == "success"
        kind = "dag_success" if is_success else "dag_failure"
        instances = store.task_instances.list(row.dag_id, run.run_id)
        instance = relevant_instance(instances, is_success=is_success)
        state = _S.NONE if instance is None else instance.state
        try_number = 0 if instance is None else instance.try_number
    else:
        kind, state = _TASK_KINDS[row.kind]
        instance = store.task_instances.by_id(payload["task_instance_id"])
        try_number = payload["try_number"]
        if instance is None:
            return None
    relative_path = payload["relative_fileloc"]
    order = CallbackOrder(
        key=key,
        path=str(dag_path(relative_path, settings)),
        relative_path=relative_path,
        import_folders=list(settings.import_folders),
        dag_id=row.dag_id,
        run_id=run.run_id,
        kind=kind,
        reason=payload["reason"],
        traceback=payload.get("traceback", ""),
        spec=None if instance is None else _spec(instance, run, try_number, kind),
        state=state.value,
    )
    return Prepared(order, None if instance is None else _scope(instance, try_number))


def _sla_order(row: OutboxRow, key: str, settings: ParseSettings) -> Prepared:
    relative_path = row.payload["relative_fileloc"]
    order = CallbackOrder(
        key=key,
        path=str(dag_path(relative_path, settings)),
        relative_path=relative_path,
        import_folders=list(settings.import_folders),
        dag_id=row.dag_id,
        run_id="",
        kind="sla_miss",
        reason="tasks are later than their sla allows",
        slas=dict(row.payload),
    )
    return Prepared(order, None)


def _deadline_order(
    row: OutboxRow, run: RunRow, key: str, settings: ParseSettings
) -> Prepared | None:
    """Return the order to call a deadline's callback; None where the run was in time after all."""
    payload = row.payload
    text = payload["deadline_at"]
    deadline_at = datetime.fromisoformat(text) if text else None
    if run.ended_at is not None and (deadline_at is None or run.ended_at <= deadline_at):
        return None
    queued_at = datetime.fromisoformat(payload["queued_at"])
    if payload["is_of_queueing"] and run.queued_at is not None and run.queued_at > queued_at:
        return None  # it was cleared since, and has another deadline
    relative_path = payload["relative_fileloc"]
    order = CallbackOrder(
        key=key,
        path=str(dag_path(relative_path, settings)),
        relative_path=relative_path,
        import_folders=list(settings.import_folders),
        dag_id=row.dag_id,
        run_id=run.run_id,
        kind="deadline",
        reason=payload["reason"],
        deadline={
            "id": row.id,
            "index": payload["index"],
            "name": payload["name"],
            "deadline_time": deadline_at,
            "interval_s": payload.get("interval_s", 0.0),
            "dag_run": asdict(run),
        },
    )
    return Prepared(order, None)


def relevant_instance(
    instances: list[TaskInstanceRow], *, is_success: bool
) -> TaskInstanceRow | None:
    """Return the task instance whose context a DAG's callbacks get (semantics section 1.8).

    The last that failed, or succeeded; where none did, the last one that is listed.
    """
    wanted = _S.SUCCESS if is_success else _S.FAILED
    ended = [one for one in instances if one.state is wanted and one.ended_at is not None]
    if ended:
        return max(ended, key=lambda one: (one.ended_at, one.id))
    return next((one for one in reversed(instances) if one.state is not _S.REMOVED), None)


def dag_path(relative_path: str, settings: ParseSettings) -> Path:
    """Return where the file is now; roots with a prefix are told from the DAGs folder by it."""
    for root in settings.roots:
        if root.prefix and relative_path.startswith(root.prefix):
            return root.folder / relative_path.removeprefix(root.prefix)
    return settings.roots[0].folder / relative_path


def _spec(instance: TaskInstanceRow, run: RunRow, try_number: int, kind: str) -> TaskInstanceSpec:
    dag_run = asdict(run)
    if kind.startswith("dag_"):  # somebody may have cleared it since
        dag_run["state"] = "success" if kind == "dag_success" else "failed"
    return TaskInstanceSpec(
        dag_id=instance.dag_id,
        run_id=instance.run_id,
        task_id=instance.task_id,
        map_index=instance.map_index,
        try_number=try_number,
        tries_max=instance.tries_max,
        epoch=instance.epoch,
        dag_run=dag_run,
        started_at=instance.started_at,
        queued_at=instance.queued_at,
        queue=instance.queue,
        pool=instance.pool,
        pool_slots=instance.pool_slots,
        priority_weight=instance.priority_weight,
        hostname=instance.hostname,
    )


def _scope(instance: TaskInstanceRow, try_number: int) -> RequestScope:
    return RequestScope(
        dag_id=instance.dag_id,
        run_id=instance.run_id,
        task_id=instance.task_id,
        map_index=instance.map_index,
        try_number=try_number,
        task_instance_id=instance.id,
        epoch=instance.epoch,
    )
