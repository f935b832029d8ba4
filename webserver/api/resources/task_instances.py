"""Task instances: list, show, clear, mark, annotate; their tries and what holds them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UnsetType

from ....control import clear as clear_verb
from ....control import mark, notes
from ....control.explain import why_not_running
from ....control.runs import get_run
from ....database.errors import NotAllowed
from ....database.listings import InstanceRecord, Where
from .. import bodies, filters, show_runs
from .. import task_answers_v1 as t1
from .. import task_answers_v2 as t2
from ..call import Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, bounds, operation, order, patterns, texts
from .dags import check_mask

if TYPE_CHECKING:
    from ....database.values import TaskInstanceRow

_RUN = "/dags/{dag_id}/dagRuns/{dag_run_id}"
_TASKS = f"{_RUN}/taskInstances"
TASK = f"{_TASKS}/{{task_id}}"
MAPPED = f"{TASK}/{{map_index}}"
_DATES = ("run_after", "logical_date", "execution_date", "start_date", "end_date", "updated_at")
_MAP_INDEX = Query("map_index", "integer", default=-1)
_MASK = Query("update_mask", is_list=True)
_LIST_V1 = (
    *PAGE,
    *bounds("execution_date", "start_date", "end_date", "updated_at"),
    *bounds("duration", kind="number"),
    *texts("state", "pool", "queue", "executor"),
    order(is_list=False),
)
_LIST_V2 = (
    *PAGE,
    *bounds("run_after", "logical_date", "start_date", "end_date", "updated_at", is_strict=True),
    *bounds("duration", is_strict=True, kind="number"),
    *texts("state", "pool", "queue", "executor", "operator"),
    Query("try_number", "integer", is_list=True),
    Query("map_index", "integer", is_list=True),
    *patterns("pool_name", "queue_name", "operator_name", "rendered_map_index"),
    order(),
)


def records_of(call: Call, rows: Sequence[TaskInstanceRow]) -> list[InstanceRecord]:
    """Return rows with what their answers show of their runs."""
    ids = [row.id for row in rows]
    found: list[InstanceRecord] = []
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        where = [Where("id", "in", some)]
        found += call.store.listings.instances(where, ["id"], len(some), 0).rows
    return found


def references(call: Call, rows: Sequence[TaskInstanceRow]) -> list[t1.TaskInstanceReference]:
    """Return rows as version 1 refers to them."""
    return [
        t1.TaskInstanceReference(
            task_id=one.row.task_id,
            dag_id=one.row.dag_id,
            execution_date=one.row.logical_date or one.run_after,
            dag_run_id=one.row.run_id,
        )
        for one in records_of(call, rows)
    ]


@operation(
    "GET",
    "read",
    v1=Face(
        "get_task_instances",
        _TASKS,
        _LIST_V1,
        answer=t1.TaskInstanceCollection,
        errors=(404,),
        tag="TaskInstance",
    ),
    v2=Face(
        "get_task_instances",
        _TASKS,
        (
            *_LIST_V2,
            Query("task_id"),
            Query("task_group_id"),
            *patterns("task_display_name", "dag_id", "run_id"),
        ),
        answer=t2.TaskInstanceCollectionResponse,
        errors=(400, 404),
        tag="Task Instance",
    ),
)
def get_task_instances(call: Call) -> Any:
    """List the task instances of a run; ~ stands for all DAGs, or all runs."""
    where = _of_run(call)
    if call.query.get("task_id"):
        where.append(Where("task_id", "in", [call.query["task_id"]]))
    if call.query.get("task_group_id"):
        where.append(Where("task_id", "in", _group_members(call)))
    where += filters.patterns(
        call.query, task_display_name="task_id", dag_id="dag_id", run_id="run_id"
    )
    return _list(call, where)


@operation(
    "GET",
    "read",
    v1=Face(
        "get_mapped_task_instances",
        f"{TASK}/listMapped",
        _LIST_V1,
        answer=t1.TaskInstanceCollection,
        errors=(404,),
        tag="TaskInstance",
    ),
    v2=Face(
        "get_mapped_task_instances",
        f"{TASK}/listMapped",
        _LIST_V2,
        answer=t2.TaskInstanceCollectionResponse,
        errors=(404,),
        tag="Task Instance",
    ),
)
def get_mapped_task_instances(call: Call) -> Any:
    """List the instances of a mapped task."""
    where = [*_of_run(call), Where("task_id", "in", [call.task_id])]
    if not call.store.listings.instances(where, ["id"], 1, 0).total:
        raise ApiError(404, f"Run {call.run_id!r} has no task instance {call.task_id!r}.")
    return _list(call, [*where, Where("map_index", "gte", 0)], "map_index")


def _of_run(call: Call) -> list[Where]:
    if call.dag_id != "~":
        call.store.dags.get(call.dag_id)
        if call.run_id != "~":
            call.store.runs.get(call.dag_id, call.run_id)
    return list(filters.named(dag_id=call.dag_id, run_id=call.run_id))


def _group_members(call: Call) -> list[str]:
    dag = call.store.dags.serialized(call.dag_id)
    wanted = {str(call.query["task_group_id"])}
    for _ in dag.groups:
        wanted |= {one.group_id for one in dag.groups if one.parent_id in wanted}
    return [task.task_id for task in dag.tasks if task.group_id in wanted]


def _list(call: Call, where: list[Where], sort: str = "id") -> Any:
    names = {"state", "pool", "queue", "executor", "operator", "try_number", "map_index"}
    query = {name: value for name, value in call.query.items() if value != [] or name not in names}
    where += filters.ranges(query, *_DATES, "duration")
    where += filters.listed(query, **{name: name for name in names if name in query})
    where += filters.patterns(
        query,
        pool_name="pool",
        queue_name="queue",
        operator_name="operator",
        rendered_map_index="rendered_map_index",
    )
    return _page(call, where, call.order(sort), *call.window())


def _page(call: Call, where: list[Where], sort: list[str], limit: int, offset: int) -> Any:
    found = call.store.listings.instances(where, sort, limit, offset)
    return _collection(call, found.rows, found.total)


def _collection(call: Call, records: Sequence[InstanceRecord], total: int) -> Any:
    shown = show_runs.show_instances(call, records)
    if call.version == 1:
        return t1.TaskInstanceCollection(task_instances=shown, total_entries=total)
    return t2.TaskInstanceCollectionResponse(task_instances=shown, total_entries=total)


@operation(
    "POST",
    "read",
    v1=Face(
        "get_task_instances_batch",
        "/dags/~/dagRuns/~/taskInstances/list",
        body=bodies.InstancesFormV1,
        answer=t1.TaskInstanceCollection,
        errors=(404,),
        tag="TaskInstance",
    ),
    v2=Face(
        "get_task_instances_batch",
        f"{_TASKS}/list",
        body=bodies.InstancesFormV2,
        answer=t2.TaskInstanceCollectionResponse,
        errors=(404,),
        tag="Task Instance",
    ),
)
def get_task_instances_batch(call: Call) -> Any:
    """List task instances over several runs by a form."""
    form = msgspec.structs.asdict(call.body)
    path = call.path
    where = [
        *filters.named(dag_id=path.get("dag_id", "~"), run_id=path.get("dag_run_id", "~")),
        *filters.ranges(form, *_DATES, "duration"),
        *filters.listed(
            form,
            dag_ids="dag_id",
            dag_run_ids="run_id",
            task_ids="task_id",
            state="state",
            pool="pool",
            queue="queue",
            executor="executor",
        ),
    ]
    window = call.window(call.body.page_limit, call.body.page_offset)
    return _page(call, where, [call.body.order_by or "id"], *window)


@operation(
    "GET",
    "read",
    v1=Face("get_task_instance", TASK, answer=t1.TaskInstance, errors=(404,), tag="TaskInstance"),
    v2=Face(
        "get_task_instance",
        TASK,
        answer=t2.TaskInstanceResponse,
        errors=(404,),
        tag="Task Instance",
    ),
)
@operation(
    "GET",
    "read",
    v1=Face(
        "get_mapped_task_instance",
        MAPPED,
        answer=t1.TaskInstance,
        errors=(404,),
        tag="TaskInstance",
    ),
    v2=Face(
        "get_mapped_task_instance",
        MAPPED,
        answer=t2.TaskInstanceResponse,
        errors=(404,),
        tag="Task Instance",
    ),
)
def get_task_instance(call: Call) -> Any:
    """Show one task instance."""
    return show_runs.show_instances(call, records_of(call, [find_instance(call)]))[0]


def find_instance(call: Call) -> TaskInstanceRow:
    """Return the task instance that the address names.

    Raises:
        TaskInstanceNotFound: there is none.
    """
    return call.store.task_instances.get(call.dag_id, call.run_id, call.task_id, call.map_index)


@operation(
    "GET",
    "read",
    v1=Face(
        "get_task_instance_tries",
        f"{TASK}/tries",
        (*PAGE, order(is_list=False)),
        answer=t1.TaskInstanceHistoryCollection,
        errors=(404,),
        tag="TaskInstance",
    ),
    v2=Face(
        "get_task_instance_tries",
        f"{TASK}/tries",
        (_MAP_INDEX,),
        answer=t2.TaskInstanceHistoryCollectionResponse,
        errors=(404,),
        tag="Task Instance",
    ),
)
@operation(
    "GET",
    "read",
    v1=Face(
        "get_mapped_task_instance_tries",
        f"{MAPPED}/tries",
        (*PAGE, order(is_list=False)),
        answer=t1.TaskInstanceHistoryCollection,
        errors=(404,),
        tag="TaskInstance",
    ),
    v2=Face(
        "get_mapped_task_instance_tries",
        f"{MAPPED}/tries",
        answer=t2.TaskInstanceHistoryCollectionResponse,
        errors=(404,),
        tag="Task Instance",
    ),
)
def get_tries(call: Call) -> Any:
    """List the tries of a task instance."""
    shown = _tries(call)
    limit, offset = call.window()
    if call.version == 1:
        page = shown[offset : offset + limit]
        return t1.TaskInstanceHistoryCollection(
            task_instances_history=page, total_entries=len(shown)
        )
    return t2.TaskInstanceHistoryCollectionResponse(task_instances=shown, total_entries=len(shown))


def _tries(call: Call) -> list[Any]:
    row = find_instance(call)
    attempts = call.store.task_instances.tries(
        call.dag_id, call.run_id, call.task_id, call.map_index
    )
    return show_runs.show_tries(call, row, attempts)


@operation(
    "GET",
    "read",
    v1=Face(
        "get_task_instance_try_details",
        f"{TASK}/tries/{{task_try_number}}",
        answer=t1.TaskInstanceHistory,
        errors=(404,),
        tag="TaskInstance",
    ),
    v2=Face(
        "get_task_instance_try_details",
        f"{TASK}/tries/{{task_try_number}}",
        (_MAP_INDEX,),
        answer=t2.TaskInstanceHistoryResponse,
        errors=(404,),
        tag="Task Instance",
    ),
)
@operation(
    "GET",
    "read",
    v1=Face(
        "get_mapped_task_instance_try_details",
        f"{MAPPED}/tries/{{task_try_number}}",
        answer=t1.TaskInstanceHistory,
        errors=(404,),
        tag="TaskInstance",
    ),
    v2=Face(
        "get_mapped_task_instance_try_details",
        f"{MAPPED}/tries/{{task_try_number}}",
        answer=t2.TaskInstanceHistoryResponse,
        errors=(404,),
        tag="Task Instance",
    ),
)
def get_try(call: Call) -> Any:
    """Show one try of a task instance."""
    number = call.path["task_try_number"]
    for one in _tries(call):
        if one.try_number == number:
            return one
    raise ApiError(404, f"Task instance {call.task_id!r} has had no try {number}.")


@operation(
    "GET",
    "read",
    v1=Face(
        "get_task_instance_dependencies",
        f"{TASK}/dependencies",
        answer=t1.TaskInstanceDependencyCollection,
        errors=(404,),
        tag="TaskInstance",
    ),
    v2=Face(
        "get_task_instance_dependencies",
        f"{TASK}/dependencies",
        (_MAP_INDEX,),
        answer=t2.TaskDependencyCollectionResponse,
        errors=(404,),
        tag="Task Instance",
    ),
)
@operation(
    "GET",
    "read",
    v2=Face(
        "get_task_instance_dependencies_by_map_index",
        f"{MAPPED}/dependencies",
        answer=t2.TaskDependencyCollectionResponse,
        errors=(404,),
        tag="Task Instance",
    ),
)
def get_dependencies(call: Call) -> Any:
    """Say what a task instance waits for."""
    row = find_instance(call)
    reasons = []
    if row.state.value in ("none", "scheduled", "queued", "up_for_retry", "up_for_reschedule"):
        reasons = why_not_running(
            call.services, call.dag_id, call.run_id, call.task_id, call.map_index
        )
    if call.version == 1:
        return t1.TaskInstanceDependencyCollection(
            dependencies=[t1.TaskFailedDependency(name="Waiting", reason=one) for one in reasons]
        )
    return t2.TaskDependencyCollectionResponse(
        dependencies=[t2.TaskDependencyResponse(name="Waiting", reason=one) for one in reasons]
    )


@operation(
    "POST",
    "edit",
    v1=Face(
        "post_clear_task_instances",
        "/dags/{dag_id}/clearTaskInstances",
        body=bodies.ClearTasksV1,
        answer=t1.TaskInstanceReferenceCollection,
        errors=(404,),
        tag="DAG",
    ),
    v2=Face(
        "post_clear_task_instances",
        "/dags/{dag_id}/clearTaskInstances",
        body=bodies.ClearTasksV2,
        answer=t2.TaskInstanceCollectionResponse,
        errors=(400, 404, 409),
        tag="Task Instance",
    ),
)
def clear_task_instances(call: Call) -> Any:
    """Clear task instances, so that they run again; ``dry_run`` (the default) only lists them."""
    body = call.body
    request = _clear_request(call)
    if body.dry_run:
        rows = clear_verb.preview(call.services, request)
    else:
        if getattr(body, "prevent_running_task", False):
            running = [
                row
                for row in clear_verb.preview(call.services, request)
                if row.state.value in ("running", "restarting")
            ]
            if running:
                raise NotAllowed(f"Task {running[0].task_id!r} is running.")
        rows = clear_verb.clear(call.services, request)
        note = getattr(body, "note", None)
        for row in rows if note is not None else ():
            _note(call, row, str(note))
    if call.version == 1:
        return t1.TaskInstanceReferenceCollection(task_instances=references(call, rows))
    return _collection(call, records_of(call, rows), len(rows))


def _note(call: Call, row: TaskInstanceRow, note: str) -> None:
    notes.set_note(
        call.services,
        row.dag_id,
        row.run_id,
        note,
        task_id=row.task_id,
        map_index=row.map_index,
    )


def _clear_request(call: Call) -> clear_verb.ClearRequest:
    body = call.body
    whole: list[str] | None = None
    single: list[tuple[str, int]] | None = None
    if body.task_ids is not None:
        whole = [one for one in body.task_ids if isinstance(one, str)]
        pairs = [one for one in body.task_ids if not isinstance(one, str)]
        if any(
            len(one) != 2 or not isinstance(one[0], str) or not isinstance(one[1], int)
            for one in pairs
        ):
            raise ApiError(400, "task_ids: an entry is a task id, or [task id, map index]")
        single = [(str(one[0]), int(one[1])) for one in pairs] or None
    has_run = body.dag_run_id is not None
    return clear_verb.ClearRequest(
        dag_id=call.dag_id,
        run_ids=[body.dag_run_id] if has_run else None,
        from_at=None if has_run else body.start_date,
        to_at=None if has_run else body.end_date,
        task_ids=whole,
        instances=single,
        include_upstream=body.include_upstream,
        include_downstream=body.include_downstream,
        include_past=body.include_past,
        include_future=body.include_future,
        only_failed=body.only_failed,
        only_running=body.only_running,
        reset_dag_runs=body.reset_dag_runs,
        on_latest_version=getattr(body, "run_on_latest_version", None),
    )


@operation(
    "POST",
    "edit",
    v1=Face(
        "post_set_task_instances_state",
        "/dags/{dag_id}/updateTaskInstancesState",
        body=bodies.TasksStateV1,
        answer=t1.TaskInstanceReferenceCollection,
        errors=(400, 404),
        tag="DAG",
    ),
)
def set_task_instances_state(call: Call) -> Any:
    """Mark task instances of a run; ``dry_run`` (the default) only lists them."""
    body = call.body
    if (body.dag_run_id is None) == (body.execution_date is None):
        raise ApiError(400, "Name the run by dag_run_id or by execution_date.")
    named = body.dag_run_id or body.execution_date.isoformat()
    run = get_run(call.services, call.dag_id, named)
    if body.task_id not in call.store.dags.newest(call.dag_id).structure.tasks:
        raise ApiError(404, f"DAG {call.dag_id!r} has no task {body.task_id!r}.")
    rows = _mark(call, run.run_id, body.task_id, body.new_state, -1, is_dry_run=body.dry_run)
    return t1.TaskInstanceReferenceCollection(task_instances=references(call, rows))


def _mark(
    call: Call, run_id: str, task_id: str, state: str, map_index: int, *, is_dry_run: bool
) -> list[TaskInstanceRow]:
    body = call.body
    return mark.mark_task(
        call.services,
        call.dag_id,
        run_id,
        task_id,
        state,
        map_index=map_index,
        include_upstream=getattr(body, "include_upstream", False),
        include_downstream=getattr(body, "include_downstream", False),
        include_past=getattr(body, "include_past", False),
        include_future=getattr(body, "include_future", False),
        is_dry_run=is_dry_run,
    )


@operation(
    "PATCH",
    "edit",
    v1=Face(
        "patch_task_instance",
        TASK,
        body=bodies.TaskStateV1,
        answer=t1.TaskInstanceReference,
        errors=(404,),
        tag="TaskInstance",
    ),
)
@operation(
    "PATCH",
    "edit",
    v1=Face(
        "patch_mapped_task_instance",
        MAPPED,
        body=bodies.TaskStateV1,
        answer=t1.TaskInstanceReference,
        errors=(404,),
        tag="TaskInstance",
    ),
)
def patch_task_instance_v1(call: Call) -> Any:
    """Mark one task instance; ``dry_run`` (the default) only names it."""
    row = find_instance(call)
    if not call.body.dry_run:
        _mark(call, row.run_id, row.task_id, call.body.new_state, row.map_index, is_dry_run=False)
    return references(call, [row])[0]


_PATCH: dict[str, Any] = {
    "body": bodies.TaskPatchV2,
    "answer": t2.TaskInstanceCollectionResponse,
    "errors": (400, 404, 409),
    "tag": "Task Instance",
}
_MAP_INDEX_OR_ALL = Query("map_index", "integer")


@operation(
    "PATCH", "edit", v2=Face("patch_task_instance", TASK, (_MAP_INDEX_OR_ALL, _MASK), **_PATCH)
)
@operation("PATCH", "edit", v2=Face("patch_task_instance_by_map_index", MAPPED, (_MASK,), **_PATCH))
def patch_task_instance(call: Call) -> Any:
    """Mark a task instance, or write its note."""
    return _patch(call, is_dry_run=False)


@operation(
    "PATCH",
    "read",
    v2=Face("patch_task_instance_dry_run", f"{TASK}/dry_run", (_MAP_INDEX_OR_ALL, _MASK), **_PATCH),
)
@operation(
    "PATCH",
    "read",
    v2=Face("patch_task_instance_dry_run_by_map_index", f"{MAPPED}/dry_run", (_MASK,), **_PATCH),
)
def patch_task_instance_dry_run(call: Call) -> Any:
    """Say which task instances a PATCH would change."""
    return _patch(call, is_dry_run=True)


def _patch(call: Call, *, is_dry_run: bool) -> Any:
    mask = check_mask(call, {"new_state", "note"})
    body = call.body
    where = [
        *filters.named(dag_id=call.dag_id, run_id=call.run_id, task_id=call.task_id),
    ]
    if "map_index" in call.path or call.query.get("map_index") is not None:
        where.append(Where("map_index", "in", [call.map_index]))
    named = [one.row for one in call.store.listings.instances(where, ["id"], 10_000, 0).rows]
    if not named:
        find_instance(call)  # says what is missing
    changed = {row.id: row for row in named}
    if "new_state" in mask and body.new_state is not None:
        marked = _mark(
            call,
            call.run_id,
            call.task_id,
            body.new_state,
            call.map_index,
            is_dry_run=is_dry_run,
        )
        changed |= {row.id: row for row in marked}
    if "note" in mask and not isinstance(body.note, UnsetType) and not is_dry_run:
        for row in named:
            _note(call, row, body.note or "")
    rows = list(changed.values())
    return _collection(call, records_of(call, rows), len(rows))


@operation(
    "PATCH",
    "edit",
    v1=Face(
        "set_task_instance_note",
        f"{TASK}/setNote",
        body=bodies.NoteBody,
        answer=t1.TaskInstance,
        errors=(400, 404),
        tag="TaskInstance",
    ),
)
@operation(
    "PATCH",
    "edit",
    v1=Face(
        "set_mapped_task_instance_note",
        f"{MAPPED}/setNote",
        body=bodies.NoteBody,
        answer=t1.TaskInstance,
        errors=(400, 404),
        tag="TaskInstance",
    ),
)
def set_task_instance_note(call: Call) -> Any:
    """Write the note of a task instance."""
    row = find_instance(call)
    _note(call, row, call.body.note)
    return show_runs.show_instances(call, records_of(call, [row]))[0]
