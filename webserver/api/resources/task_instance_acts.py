"""Acts on task instances: clear, mark, patch, annotate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UnsetType

from ....control import clear as clear_verb
from ....control import mark, notes
from ....control.runs import delete_instances, get_run
from ....database.errors import NotAllowed
from ....database.listings import Where
from .. import bodies, filters, show_runs
from .. import task_answers_v1 as t1
from .. import task_answers_v2 as t2
from ..call import Call
from ..errors import ApiError
from ..operation import Face, Query, operation
from .dags import check_mask
from .task_instances import (
    MAPPED,
    RUN,
    TASK,
    collection_of,
    find_instance,
    group_members,
    records_of,
    references,
)

if TYPE_CHECKING:
    from ....database.values import TaskInstanceRow

_MASK = Query("update_mask", is_list=True)
#: Task instances of one task, or of one group, that one request changes at most.
ROWS_MAX = 10_000


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
    return collection_of(call, records_of(call, rows), len(rows))


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
    if (not body.dag_run_id) == (body.execution_date is None):
        raise ApiError(400, "Name the run by dag_run_id or by execution_date.")
    named = body.dag_run_id or body.execution_date.isoformat()
    run = get_run(call.services, call.dag_id, named)
    if body.task_id not in call.store.dags.newest(call.dag_id).structure.tasks:
        raise ApiError(404, f"DAG {call.dag_id!r} has no task {body.task_id!r}.")
    rows = _mark(call, run.run_id, body.task_id, body.new_state, -1, is_dry_run=body.dry_run)
    return t1.TaskInstanceReferenceCollection(task_instances=references(call, rows))


def _mark(
    call: Call,
    run_id: str,
    task_id: str,
    state: str,
    map_index: int,
    *,
    task_ids: list[str] | None = None,
    is_dry_run: bool,
) -> list[TaskInstanceRow]:
    body = call.body
    return mark.mark_task(
        call.services,
        call.dag_id,
        run_id,
        task_id,
        state,
        map_index=map_index,
        task_ids=task_ids,
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


def find_instances(call: Call) -> list[TaskInstanceRow]:
    """Return the task instance that the address names; without a map index all of the task.

    Raises:
        TaskInstanceNotFound: there is none.
    """
    where = [*filters.named(dag_id=call.dag_id, run_id=call.run_id, task_id=call.task_id)]
    if "map_index" in call.path or call.query.get("map_index") is not None:
        where.append(Where("map_index", "in", [call.map_index]))
    found = _rows_of(call, where)
    if not found:
        find_instance(call)  # says what is missing
    return found


def _rows_of(call: Call, where: list[Where]) -> list[TaskInstanceRow]:
    return [one.row for one in call.store.listings.instances(where, ["id"], ROWS_MAX, 0).rows]


def _patch(call: Call, *, is_dry_run: bool) -> Any:
    return _change(call, find_instances(call), call.task_id, None, is_dry_run=is_dry_run)


def _change(
    call: Call,
    named: list[TaskInstanceRow],
    task_id: str,
    task_ids: list[str] | None,
    *,
    is_dry_run: bool,
) -> Any:
    mask = check_mask(call, {"new_state", "note"})
    body = call.body
    changed = {row.id: row for row in named}
    if "new_state" in mask and body.new_state is not None:
        marked = _mark(
            call,
            call.run_id,
            task_id,
            body.new_state,
            call.map_index,
            task_ids=task_ids,
            is_dry_run=is_dry_run,
        )
        changed |= {row.id: row for row in marked}
    if "note" in mask and not isinstance(body.note, UnsetType) and not is_dry_run:
        for row in named:
            _note(call, row, body.note or "")
    rows = list(changed.values())
    return collection_of(call, records_of(call, rows), len(rows))


_GROUP = f"{RUN}/taskGroupInstances/{{group_id}}"


@operation("PATCH", "edit", v2=Face("patch_task_group_instances", _GROUP, (_MASK,), **_PATCH))
def patch_task_group(call: Call) -> Any:
    """Mark all task instances of a group, or write their notes."""
    return _patch_group(call, is_dry_run=False)


@operation(
    "PATCH",
    "read",
    v2=Face("patch_task_group_instances_dry_run", f"{_GROUP}/dry_run", (_MASK,), **_PATCH),
)
def patch_task_group_dry_run(call: Call) -> Any:
    """Say which task instances of a group a PATCH would change."""
    return _patch_group(call, is_dry_run=True)


def _patch_group(call: Call, *, is_dry_run: bool) -> Any:
    call.store.runs.get(call.dag_id, call.run_id)
    members = group_members(call, str(call.path["group_id"]))
    where = [*filters.named(dag_id=call.dag_id, run_id=call.run_id)]
    named = _rows_of(call, [*where, Where("task_id", "in", members)])
    if not named:
        raise ApiError(404, f"DAG {call.dag_id!r} has no task group {call.path['group_id']!r}.")
    return _change(call, named, "", members, is_dry_run=is_dry_run)


@operation(
    "DELETE",
    "edit",
    v2=Face(
        "delete_task_instance",
        TASK,
        (Query("map_index", "integer", default=-1),),
        errors=(404, 409),
        tag="Task Instance",
    ),
)
def delete_task_instance(call: Call) -> Any:
    """Delete a task instance of a run that has ended."""
    delete_instances(call.services, find_instances(call))
    return {}


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
