"""Dag runs: list, trigger, show, mark, annotate, clear, delete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from ....control import clear as clear_verb
from ....control import mark, notes
from ....control.input import InvalidInput
from ....control.runs import delete_run
from ....control.trigger import trigger_dag
from ....database.keyset import read_cursor
from ....database.listings import Where
from ....sdk.states import DagRunState, RunType
from ....sdk.timetables.base import DataInterval
from .. import answers_v1 as a1
from .. import answers_v2 as a2
from .. import bodies, filters, show_runs
from .. import task_answers_v1 as t1
from .. import task_answers_v2 as t2
from ..call import Call
from ..operation import PAGE, Face, Query, bounds, operation, order, patterns, states, texts
from .dags import check_mask, chosen_fields
from .task_instances import records_of, references

_FIELDS = Query("fields", is_list=True)
_MASK = Query("update_mask", is_list=True)
_RUN = "/dags/{dag_id}/dagRuns/{dag_run_id}"
#: No run has a partition here, or a version of its bundle: who asks for one finds none.
_OF_PARTITIONS = (
    "bundle_version",
    "partition_date_gte",
    "partition_date_lte",
    "partition_key_pattern",
    "partition_key_prefix_pattern",
)
_DATES = ("run_after", "logical_date", "start_date", "end_date", "updated_at")


@operation(
    "GET",
    "read",
    v1=Face(
        "get_dag_runs",
        "/dags/{dag_id}/dagRuns",
        (
            *PAGE,
            *bounds("execution_date", "start_date", "end_date", "updated_at"),
            *texts("state"),
            order(is_list=False),
            _FIELDS,
        ),
        answer=a1.DAGRunCollection,
        errors=(404,),
        tag="DAGRun",
    ),
    v2=Face(
        "get_dag_runs",
        "/dags/{dag_id}/dagRuns",
        (
            *PAGE,
            *bounds(*_DATES, is_strict=True),
            *bounds("duration", is_strict=True, kind="number"),
            Query("conf_contains"),
            states("run_type", RunType),
            states("state", DagRunState),
            order(),
            *patterns("run_id", "triggering_user_name", "dag_id"),
            Query("cursor"),
            Query("dag_version", "integer", is_list=True),
            Query("bundle_version"),
            *bounds("partition_date"),
            *patterns("partition_key", "consuming_asset"),
        ),
        answer=a2.DAGRunCollectionResponse,
        errors=(400, 404),
        tag="DagRun",
    ),
)
def get_dag_runs(call: Call) -> Any:
    """List the runs of a DAG, or with ~ of all."""
    query = call.query
    where = [
        *_of_dag(call),
        *filters.ranges(query, *_DATES, "execution_date", "duration"),
        *filters.listed(query, run_type="run_type", state="state"),
        *filters.patterns(
            query, run_id="run_id", dag_id="dag_id", triggering_user_name="triggering_user_name"
        ),
    ]
    if query.get("conf_contains"):
        where.append(Where("conf_contains", "part", query["conf_contains"]))
    if query.get("dag_version"):
        where.append(Where("dag_version", "in", query["dag_version"]))
    if any(query.get(name) is not None for name in _OF_PARTITIONS):
        where.append(Where("id", "in", []))
    where += filters.patterns(query, consuming_asset="consuming_asset")
    if query.get("cursor") is not None:
        cursor = read_cursor(query["cursor"], call.order("id"))
        found = call.store.listings.runs_at(where, cursor, call.window()[0])
        return a2.DAGRunCollectionResponse(
            dag_runs=show_runs.show_runs(call, found.rows),
            next_cursor=found.next_cursor,
            previous_cursor=found.previous_cursor,
        )
    answer = _page(call, where, call.order("id"), *call.window())
    return chosen_fields(call, answer, "dag_runs")


def _of_dag(call: Call) -> Iterator[Where]:
    if call.dag_id != "~":
        call.store.dags.get(call.dag_id)
    yield from filters.named(dag_id=call.dag_id)


def _page(call: Call, where: list[Where], sort: list[str], limit: int, offset: int) -> Any:
    found = call.store.listings.runs(where, sort, limit, offset)
    shown = show_runs.show_runs(call, found.rows)
    if call.version == 1:
        return a1.DAGRunCollection(dag_runs=shown, total_entries=found.total)
    return a2.DAGRunCollectionResponse(dag_runs=shown, total_entries=found.total)


@operation(
    "POST",
    "read",
    v1=Face(
        "get_dag_runs_batch",
        "/dags/~/dagRuns/list",
        body=bodies.RunsFormV1,
        answer=a1.DAGRunCollection,
        errors=(400,),
        tag="DAGRun",
    ),
    v2=Face(
        "get_list_dag_runs_batch",
        "/dags/{dag_id}/dagRuns/list",
        body=bodies.RunsFormV2,
        answer=a2.DAGRunCollectionResponse,
        errors=(404,),
        tag="DagRun",
    ),
)
def get_dag_runs_batch(call: Call) -> Any:
    """List runs over several DAGs by a form."""
    form = msgspec.structs.asdict(call.body)
    where = [
        *filters.named(dag_id=str(call.path.get("dag_id", "~"))),
        *filters.ranges(form, *_DATES, "execution_date", "duration"),
        *filters.listed(form, dag_ids="dag_id", states="state"),
    ]
    if form.get("conf_contains"):
        where.append(Where("conf_contains", "part", form["conf_contains"]))
    window = call.window(call.body.page_limit, call.body.page_offset)
    return _page(call, where, [call.body.order_by or "id"], *window)


@operation(
    "POST",
    "edit",
    v1=Face(
        "post_dag_run",
        "/dags/{dag_id}/dagRuns",
        body=bodies.TriggerV1,
        answer=a1.DAGRun,
        errors=(400, 404, 409),
        tag="DAGRun",
    ),
    v2=Face(
        "trigger_dag_run",
        "/dags/{dag_id}/dagRuns",
        body=bodies.TriggerV2,
        answer=a2.DAGRunResponse,
        errors=(400, 404, 409),
        tag="DagRun",
    ),
)
def trigger_dag_run(call: Call) -> Any:
    """Start a run. Of a paused DAG it waits queued."""
    body = call.body
    row = call.store.dags.get(call.dag_id)
    if row.has_import_errors:
        raise InvalidInput(f"DAG {call.dag_id!r} has import errors; mend its file first.")
    if call.version == 1 and body.logical_date and body.execution_date:
        raise InvalidInput("logical_date and execution_date are the same: give one of them.")
    logical_date = body.logical_date or getattr(body, "execution_date", None)
    run = trigger_dag(
        call.services,
        call.dag_id,
        conf=body.conf,
        run_id=body.dag_run_id,
        logical_date=logical_date,
        run_after=getattr(body, "run_after", None),
        data_interval=interval_of(body),
        note=body.note,
        is_microsecond_kept=True,
        triggered_by="rest_api",
    )
    return _one(call, run)


def interval_of(body: Any) -> DataInterval | None:
    """Return the data interval that a body describes, if it does.

    Raises:
        InvalidInput: it names only one end.
    """
    start, end = body.data_interval_start, body.data_interval_end
    if (start is None) != (end is None):
        raise InvalidInput("data_interval_start and data_interval_end go together.")
    return None if start is None else DataInterval(start, end)


def _one(call: Call, run: Any) -> Any:
    return show_runs.show_runs(call, [run])[0]


@operation(
    "GET",
    "read",
    v1=Face("get_dag_run", _RUN, (_FIELDS,), answer=a1.DAGRun, errors=(404,), tag="DAGRun"),
    v2=Face("get_dag_run", _RUN, answer=a2.DAGRunResponse, errors=(404,), tag="DagRun"),
)
def get_dag_run(call: Call) -> Any:
    """Show one run."""
    return chosen_fields(call, _one(call, call.store.runs.get(call.dag_id, call.run_id)))


@operation(
    "PATCH",
    "edit",
    v1=Face(
        "update_dag_run_state",
        _RUN,
        body=bodies.RunStateV1,
        answer=a1.DAGRun,
        errors=(400, 404),
        tag="DAGRun",
    ),
    v2=Face(
        "patch_dag_run",
        _RUN,
        (_MASK,),
        body=bodies.RunPatchV2,
        answer=a2.DAGRunResponse,
        errors=(400, 404),
        tag="DagRun",
    ),
)
def patch_dag_run(call: Call) -> Any:
    """Mark a run, or write its note."""
    mask = {"state"} if call.version == 1 else check_mask(call, {"state", "note"})
    call.store.runs.get(call.dag_id, call.run_id)
    note = getattr(call.body, "note", UNSET)
    if "note" in mask and not isinstance(note, UnsetType):
        notes.set_note(call.services, call.dag_id, call.run_id, note or "")
    if "state" in mask and call.body.state is not None:
        mark.mark_run(call.services, call.dag_id, call.run_id, call.body.state)
    return _one(call, call.store.runs.get(call.dag_id, call.run_id))


@operation(
    "PATCH",
    "edit",
    v1=Face(
        "set_dag_run_note",
        f"{_RUN}/setNote",
        body=bodies.NoteBody,
        answer=a1.DAGRun,
        errors=(400, 404),
        tag="DAGRun",
    ),
)
def set_dag_run_note(call: Call) -> Any:
    """Write the note of a run."""
    notes.set_note(call.services, call.dag_id, call.run_id, call.body.note)
    return _one(call, call.store.runs.get(call.dag_id, call.run_id))


@operation(
    "DELETE",
    "edit",
    v1=Face("delete_dag_run", _RUN, status=204, errors=(404, 409), tag="DAGRun"),
    v2=Face("delete_dag_run", _RUN, status=204, errors=(404, 409), tag="DagRun"),
)
def delete_dag_run(call: Call) -> None:
    """Delete a run that has ended or waits."""
    delete_run(call.services, call.dag_id, call.run_id)


@operation(
    "POST",
    "edit",
    v1=Face(
        "clear_dag_run",
        f"{_RUN}/clear",
        body=bodies.ClearRunV1,
        answer=(a1.DAGRun, t1.TaskInstanceReferenceCollection),
        errors=(400, 404),
        tag="DAGRun",
    ),
    v2=Face(
        "clear_dag_run",
        f"{_RUN}/clear",
        body=bodies.ClearRunV2,
        answer=(a2.DAGRunResponse, t2.TaskInstanceCollectionResponse),
        errors=(404,),
        tag="DagRun",
    ),
)
def clear_dag_run(call: Call) -> Any:
    """Clear a run, so that it runs again; ``dry_run`` (the default) only lists what would be."""
    run = call.store.runs.get(call.dag_id, call.run_id)
    request = clear_verb.ClearRequest(
        dag_id=call.dag_id,
        run_ids=[call.run_id],
        only_failed=getattr(call.body, "only_failed", False),
        on_latest_version=getattr(call.body, "run_on_latest_version", None),
    )
    if call.body.dry_run:
        found = clear_verb.preview(call.services, request)
        if call.version == 1:
            return t1.TaskInstanceReferenceCollection(task_instances=references(call, found))
        shown = show_runs.show_instances(call, records_of(call, found))
        return t2.TaskInstanceCollectionResponse(task_instances=shown, total_entries=len(shown))
    clear_verb.clear(call.services, request)
    note = getattr(call.body, "note", None)
    if note is not None:
        notes.set_note(call.services, call.dag_id, run.run_id, note)
    return _one(call, call.store.runs.get(call.dag_id, call.run_id))
