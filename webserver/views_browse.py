"""Runs of all DAGs, and the search behind Ctrl-K."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..database.keyset import read_cursor
from ..database.listings import Where
from ..sdk.states import DagRunState, RunType, TaskInstanceState
from .auth import may, requires
from .heads import liveness
from .paging import CursorPage, without_empty
from .services import services

blueprint = Blueprint("browse", __name__)

RUNS_PER_PAGE = 50
#: Newest first, by when they could start.
RUNS_ORDER = ("-run_after",)
INSTANCES_PER_PAGE = 100
INSTANCE_DAYS = (1, 7, 30, 365)
FOUND_MAX = 12
#: Word, endpoint, what a reader needs to see it.
PLACES = (
    ("Home", "home.index", "read"),
    ("DAGs", "dags.index", "read"),
    ("Runs", "browse.runs", "read"),
    ("Required actions", "questions.index", "read"),
    ("Import errors", "import_errors.index", "read"),
    ("Pools", "admin.pools", "read"),
    ("Jobs", "admin.jobs", "read"),
    ("Variables", "admin.variables", "operate"),
    ("Connections", "admin.connections", "operate"),
    ("Audit log", "admin.audit", "audit"),
    ("Timeline", "timeline.index", "read"),
    ("Forecast", "timeline.forecast", "read"),
    ("Assets", "asset_pages.index", "read"),
    ("Task instances", "browse.instances", "read"),
    ("Configuration", "admin.configuration", "operate"),
    ("Providers", "packages.providers", "operate"),
    ("Plugins", "packages.plugins", "operate"),
    ("Roles", "people.roles", "administer"),
    ("Users", "people.users", "administer"),
    ("Preferences", "preferences.show", "read"),
)


@blueprint.get("/runs")
@blueprint.get("/dag_runs", endpoint="dag_runs")
@requires("read")
def runs() -> ResponseReturnValue:
    """List the runs of all DAGs, newest first."""
    return render_template("runs.html", **read_runs(None))


def read_runs(dag_id: str | None) -> dict[str, Any]:
    """Return one page of runs as the address asks for it, for all DAGs or one."""
    store = services().store
    state, kind = request.args.get("state", ""), request.args.get("type", "")
    part = request.args.get("search", "").strip()
    conditions: dict[str, Any] = {
        "states": (state,) if state in set(DagRunState) else (),
        "run_types": (kind,) if kind in set(RunType) else (),
        "run_id_part": part or None,
    }
    wanted = (
        ("dag_id", "in", [dag_id] if dag_id else []),
        ("state", "in", conditions["states"]),
        ("run_type", "in", conditions["run_types"]),
        ("run_id", "part", part),
    )
    cursor = read_cursor(request.args.get("cursor", ""), RUNS_ORDER)
    where = [Where(field, operator, value) for field, operator, value in wanted if value]
    found = store.listings.runs_at(where, cursor, RUNS_PER_PAGE)
    page = CursorPage(
        rows=found.rows,
        total=store.runs.count(dag_id, **conditions),
        newer=found.previous_cursor,
        older=found.next_cursor,
        arguments=without_empty({"state": state, "type": kind, "search": part, "dag_id": dag_id}),
    )
    return {
        "page": page,
        "counts": store.runs.counts([run.id for run in page.rows]),
        "states": [one.value for one in DagRunState],
        "types": [one.value for one in RunType],
        "live": liveness(page.rows),
    }


@blueprint.get("/task_instances")
@requires("read")
def instances() -> ResponseReturnValue:
    """List task instances of all DAGs, newest first, those of the last days."""
    states = [one for one in request.args.getlist("state") if one in set(TaskInstanceState)]
    days = request.args.get("days", INSTANCE_DAYS[1], type=int)
    days = days if days in INSTANCE_DAYS else INSTANCE_DAYS[1]
    arguments = {
        "state": states,
        "days": days,
        "dag": request.args.get("dag", "").strip(),
        "task": request.args.get("task", "").strip(),
        "pool": request.args.get("pool", "").strip(),
    }
    where = [Where("run_after", "gte", services().now() - timedelta(days=days))]
    if states:
        where.append(Where("state", "in", states))
    for name, column in (("dag", "dag_id"), ("task", "task_id")):
        if arguments[name]:
            where.append(Where(column, "part", arguments[name]))
    if arguments["pool"]:
        where.append(Where("pool", "in", [arguments["pool"]]))
    listings = services().store.listings
    before = request.args.get("before", type=int)
    if before is not None:
        where.append(Where("id", "lt", before))
    # One more than is shown tells whether there is another page; all are never counted.
    found = listings.instances_newest(where, INSTANCES_PER_PAGE + 1)
    rows = [one.row for one in found[:INSTANCES_PER_PAGE]]
    return render_template(
        "instances.html",
        rows=rows,
        arguments=arguments,
        next_before=rows[-1].id if len(found) > INSTANCES_PER_PAGE else None,
        states=[one.value for one in TaskInstanceState],
        days_offered=INSTANCE_DAYS,
        pools=[one.name for one in services().store.pools.list()],
        live="idle",
    )


@blueprint.get("/ui/find")
@requires("read")
def find() -> ResponseReturnValue:
    """Answer DAGs and pages whose name holds what was typed."""
    wanted = request.args.get("q", "").strip()[:200]
    dags = services().store.dags.list(pattern=wanted or None, limit=FOUND_MAX)
    found = [
        {"url": url_for("dags.show", dag_id=dag.dag_id), "text": dag.dag_id, "kind": "DAG"}
        for dag in dags
    ]
    found += _find_tasks(wanted)
    found += [
        {"url": url_for(endpoint), "text": word, "kind": "page"}
        for word, endpoint, needed in PLACES
        if may(needed) and wanted.lower() in word.lower()
    ]
    return jsonify(found[: 2 * FOUND_MAX])


def _find_tasks(wanted: str) -> list[dict[str, str]]:
    """Return the tasks that "dag task" means: part of a DAG's id, then part of a task's."""
    dag_part, _, task_part = wanted.partition(" ")
    if not task_part.strip():
        return []
    store = services().store
    found: list[dict[str, str]] = []
    for dag in store.dags.list(pattern=dag_part, limit=3):
        for task in store.dags.serialized(dag.dag_id).tasks:
            if task_part.strip().lower() in task.task_id.lower() and len(found) < FOUND_MAX:
                url = url_for("durations.of_task", dag_id=dag.dag_id, task_id=task.task_id)
                text = f"{dag.dag_id} {task.task_id}"
                found.append({"url": url, "text": text, "kind": "task"})
    return found
