"""Task instances: list and show them, their tries, and what holds them back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ....control.explain import why_not_running
from ....database.keyset import read_cursor
from ....database.listings import InstanceRecord, Where
from ....sdk.states import TaskInstanceState
from .. import bodies, filters, show_runs
from .. import task_answers_v1 as t1
from .. import task_answers_v2 as t2
from ..call import WILDCARD, Call
from ..errors import ApiError
from ..operation import PAGE, Face, Query, bounds, operation, order, patterns, states, texts

if TYPE_CHECKING:
    from ....database.values import TaskInstanceRow

RUN = "/dags/{dag_id}/dagRuns/{dag_run_id}"
_TASKS = f"{RUN}/taskInstances"
TASK = f"{_TASKS}/{{task_id}}"
MAPPED = f"{TASK}/{{map_index}}"
_DATES = ("run_after", "logical_date", "execution_date", "start_date", "end_date", "updated_at")
_MAP_INDEX = Query("map_index", "integer", default=-1)
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
    states("state", TaskInstanceState, *sorted(filter(None, filters.NO_STATE))),
    *texts("pool", "queue", "executor", "operator"),
    Query("try_number", "integer", is_list=True),
    Query("map_index", "integer", is_list=True),
    Query("version_number", "integer", is_list=True),
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
            Query("cursor"),
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
        where.append(Where("task_id", "in", group_members(call, call.query["task_group_id"])))
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


def refuse_unknown_run(call: Call) -> None:
    """Refuse an address that names a DAG, or a run, that does not exist.

    Raises:
        NotFound: the text says which.
    """
    is_run = WILDCARD not in (call.dag_id, call.run_id)
    # A run that is there, the most likely, needs no look at its DAG.
    is_known = is_run and call.store.runs.find(call.dag_id, call.run_id) is not None
    if call.dag_id != WILDCARD and not is_known:
        call.store.dags.get(call.dag_id)
        if is_run:
            call.store.runs.get(call.dag_id, call.run_id)


def _of_run(call: Call) -> list[Where]:
    refuse_unknown_run(call)
    return list(filters.named(dag_id=call.dag_id, run_id=call.run_id))


def group_members(call: Call, group_id: str) -> list[str]:
    """Return the tasks of a task group of the DAG in the address, and of the groups in it.

    Raises:
        DagNotFound: there is no such DAG.
    """
    dag = call.store.dags.serialized(call.dag_id)
    wanted = {group_id}
    for _ in dag.groups:
        wanted |= {one.group_id for one in dag.groups if one.parent_id in wanted}
    return [task.task_id for task in dag.tasks if task.group_id in wanted]


def _list(call: Call, where: list[Where], sort: str = "id") -> Any:
    names = {
        "state",
        "pool",
        "queue",
        "executor",
        "operator",
        "try_number",
        "map_index",
        "version_number",
    }
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
    if call.query.get("cursor") is not None:
        cursor = read_cursor(call.query["cursor"], call.order(sort))
        found = call.store.listings.instances_at(where, cursor, call.window()[0])
        return t2.TaskInstanceCollectionResponse(
            task_instances=show_runs.show_instances(call, found.rows),
            next_cursor=found.next_cursor,
            previous_cursor=found.previous_cursor,
        )
    return _page(call, where, call.order(sort), *call.window())


def _page(call: Call, where: list[Where], sort: list[str], limit: int, offset: int) -> Any:
    found = call.store.listings.instances(where, sort, limit, offset)
    return collection_of(call, found.rows, found.total)


def collection_of(call: Call, records: Sequence[InstanceRecord], total: int) -> Any:
    """Return a page of records in the shape of the version asked."""
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
    v1=Face(
        "get_mapped_task_instance_dependencies",
        f"{MAPPED}/dependencies",
        answer=t1.TaskInstanceDependencyCollection,
        errors=(404,),
        tag="TaskInstance",
    ),
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
