"""Acts on several runs at once, and waiting for one to end (version 2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import msgspec
from flask import Response, current_app

from ....control import clear as clear_verb
from ....control import notes
from ....sdk.states import FINISHED_RUN
from .. import answers_v2 as a2
from .. import bodies_bulk as bodies
from .. import bulk_answers as b2
from .. import show_runs
from .. import task_answers_v2 as t2
from ..call import WILDCARD, Call
from ..errors import ApiError
from ..operation import Face, Query, operation
from .task_instances import records_of
from .xcoms import shown_value

if TYPE_CHECKING:
    from ....database.values import TaskInstanceRow
    from ...events import Hub, Subscription

#: Waiting for longer than this is asked for anew.
WAIT_S_MAX = 3600.0
INTERVAL_S_MIN = 0.1
INTERVAL_S_MAX = 60.0


@operation(
    "POST",
    "edit",
    v2=Face(
        "clear_dag_runs",
        "/dags/{dag_id}/clearDagRuns",
        body=bodies.ClearRuns,
        answer=(a2.DAGRunCollectionResponse, t2.TaskInstanceCollectionResponse),
        errors=(400, 404),
        tag="DagRun",
    ),
)
def clear_dag_runs(call: Call) -> Any:
    """Clear runs, so that they run again; ``dry_run`` (the default) only lists what would be."""
    body = call.body
    requests = [
        clear_verb.ClearRequest(
            dag_id=dag_id,
            run_ids=run_ids,
            only_failed=body.only_failed,
            on_latest_version=body.run_on_latest_version,
        )
        for dag_id, run_ids in _runs_by_dag(call).items()
    ]
    if body.dry_run:
        found: list[TaskInstanceRow] = []
        for request in requests:
            found += clear_verb.preview(call.services, request)
        shown = show_runs.show_instances(call, records_of(call, found))
        return t2.TaskInstanceCollectionResponse(task_instances=shown, total_entries=len(shown))
    rows = []
    for request in requests:
        clear_verb.clear(call.services, request)
        for run_id in request.run_ids or ():
            if body.note is not None:
                notes.set_note(call.services, request.dag_id, run_id, body.note)
            rows.append(call.store.runs.get(request.dag_id, run_id))
    runs = show_runs.show_runs(call, rows)
    return a2.DAGRunCollectionResponse(dag_runs=runs, total_entries=len(runs))


def _runs_by_dag(call: Call) -> dict[str, list[str]]:
    chosen: dict[str, list[str]] = {}
    for entity in call.body.dag_runs or ():
        dag_id = entity.dag_id or call.dag_id
        if dag_id == WILDCARD or call.dag_id not in (WILDCARD, dag_id):
            raise ApiError(400, f"dag_runs: run {entity.dag_run_id!r} is not of a DAG named here")
        call.store.runs.get(dag_id, entity.dag_run_id)
        chosen.setdefault(dag_id, []).append(entity.dag_run_id)
    if not chosen:
        raise ApiError(400, "dag_runs: name the runs that are to be cleared")
    return chosen


@operation(
    "POST",
    "edit",
    v2=Face(
        "clear_dag_run_partitions",
        "/dags/{dag_id}/clearPartitions",
        body=bodies.ClearPartitions,
        answer=b2.ClearPartitionsResponse,
        errors=(400, 404),
        tag="DagRun",
    ),
)
def clear_dag_run_partitions(call: Call) -> Any:
    """Clear the runs of partitions: no run has one here, so there is never any to clear."""
    body = call.body
    call.store.dags.get(call.dag_id)
    if body.run_id is not None:
        call.store.runs.get(call.dag_id, body.run_id)
    return b2.ClearPartitionsResponse(
        dag_runs_cleared=0, task_instances_cleared=0, dry_run=body.dry_run
    )


@operation(
    "GET",
    "read",
    v2=Face(
        "wait_dag_run_until_finished",
        "/dags/{dag_id}/dagRuns/{dag_run_id}/wait",
        (Query("interval", "number", is_required=True), Query("result", is_list=True)),
        errors=(404, 503),
        tag="DagRun",
        media_type="application/x-ndjson",
    ),
)
def wait_dag_run(call: Call) -> Any:
    """Follow a run until it ends: a line with its state at once, at each interval, at the end."""
    interval_s = call.query["interval"]
    if not INTERVAL_S_MIN <= interval_s <= INTERVAL_S_MAX:
        raise ApiError(400, f"interval: {INTERVAL_S_MIN} to {INTERVAL_S_MAX:g} seconds")
    call.store.runs.get(call.dag_id, call.run_id)
    hub = cast("Hub", current_app.extensions["hub"])
    subscribed = hub.subscribe()
    if subscribed is None:
        raise ApiError(503, "Too many wait already.", {"Retry-After": "30"})
    reader, _ = subscribed
    answer = Response(_states(call, hub, reader, interval_s), content_type="application/x-ndjson")
    answer.headers["X-Accel-Buffering"] = "no"
    answer.call_on_close(lambda: hub.unsubscribe(reader))
    return answer


def _states(call: Call, hub: Hub, reader: Subscription, interval_s: float) -> Iterator[bytes]:
    """Yield lines. The hub's message ends an interval early, so that an end is told at once."""
    clock = call.services.clock
    ends_s = clock.monotonic() + WAIT_S_MAX
    last, told_s = "", -interval_s
    try:
        while clock.monotonic() < ends_s:
            state = call.store.runs.get(call.dag_id, call.run_id).state
            if state in FINISHED_RUN:
                yield _line(state, _results(call))
                return
            if state != last or clock.monotonic() - told_s >= interval_s:
                last, told_s = state, clock.monotonic()
                yield _line(state, None)
            reader.get(interval_s)
    finally:
        hub.unsubscribe(reader)


def _line(state: str, results: dict[str, Any] | None) -> bytes:
    answer: dict[str, Any] = {"state": state}
    if results:
        answer["results"] = results
    return msgspec.json.encode(answer) + b"\n"


def _results(call: Call) -> dict[str, Any]:
    """Return task → what it returned; of a mapped task a list in order of its map indexes."""
    wanted = call.query["result"]
    if not wanted:
        return {}
    entries = call.store.xcoms.get_many(
        dag_id=call.dag_id, run_id=call.run_id, task_ids=list(dict.fromkeys(wanted))
    )
    found: dict[str, Any] = {}
    for one in entries:
        value = shown_value(one)
        if one.map_index >= 0:
            found.setdefault(one.task_id, []).append(value)
        else:
            found[one.task_id] = value
    return found
