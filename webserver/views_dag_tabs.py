"""The tabs of one DAG besides grid and graph: runs, tasks, calendar, code, events, details."""

from __future__ import annotations

import difflib
from statistics import median
from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ..control.forecast import next_runs
from ..database.errors import NotFound
from .auth import requires
from .calendar_year import make_year
from .heads import dag_head, liveness
from .services import services
from .views_browse import read_runs

blueprint = Blueprint("dag", __name__)

#: Over how many of the newest runs the record of a task is taken.
RECORD_RUNS = 50
EVENTS_PER_PAGE = 100
PLANNED_MAX = 60


@blueprint.get("/dags/<dag_id>/runs")
@requires("read")
def runs(dag_id: str) -> ResponseReturnValue:
    """List the runs of this DAG."""
    return render_template("dag_runs.html", head=dag_head(dag_id), tab="runs", **read_runs(dag_id))


@blueprint.get("/dags/<dag_id>/tasks")
@requires("read")
def tasks(dag_id: str) -> ResponseReturnValue:
    """List the tasks with how they did in the newest runs."""
    store = services().store
    head = dag_head(dag_id)
    newest = store.runs.list(dag_id, limit=RECORD_RUNS)
    records = store.history.task_records([run.id for run in newest])
    wanted = request.args.get("search", "").strip().lower()
    found = [task for task in store.dags.serialized(dag_id).tasks if wanted in task.task_id.lower()]
    medians = {
        task_id: median(record.durations_s) if record.durations_s else None
        for task_id, record in records.items()
    }
    return render_template(
        "dag_tasks.html",
        head=head,
        tab="tasks",
        tasks=found,
        records=records,
        medians=medians,
        runs_seen=len(newest),
        search=wanted,
        live=liveness(newest[:1]),
    )


@blueprint.get("/dags/<dag_id>/calendar")
@requires("read")
def calendar(dag_id: str) -> ResponseReturnValue:
    """Show the days of a year, each with the worst state of its runs, and what is planned."""
    now = services().now()
    year = min(max(1970, request.args.get("year", now.year, type=int)), 9000)
    head = dag_head(dag_id)
    planned = [] if head.dag.is_paused else next_runs(services(), dag_id, PLANNED_MAX)
    from_at, to_at = now.replace(year, 1, 1, 0, 0, 0, 0), now.replace(year + 1, 1, 1, 0, 0, 0, 0)
    dates = services().store.history.run_dates(dag_id, from_at, to_at)
    return render_template(
        "dag_calendar.html",
        head=head,
        tab="calendar",
        year=make_year(year, dates, [run.logical_date or run.run_after for run in planned]),
        live="idle",
    )


@blueprint.get("/dags/<dag_id>/code")
@requires("read")
def code(dag_id: str) -> ResponseReturnValue:
    """Show the file of one version, or how it differs from the version before."""
    head = dag_head(dag_id)
    return render_template(
        "dag_code.html",
        head=head,
        tab="code",
        live=None,
        **code_arguments(dag_id, request.args.get("version", type=int)),
    )


def code_arguments(dag_id: str, number: int | None) -> dict[str, Any]:
    """Return the source of a version (None: the newest), its neighbours, and the difference."""
    dags = services().store.dags
    versions = dags.versions(dag_id)
    number = number if number is not None else versions[0].number if versions else 0
    against = request.args.get("against", type=int)
    try:
        source: str | None = dags.source(dag_id, number)
        before = dags.source(dag_id, against) if against is not None else None
    except NotFound:
        source = before = None
    difference = None
    if source is not None and before is not None:
        difference = list(
            difflib.unified_diff(
                before.splitlines(),
                source.splitlines(),
                f"version {against}",
                f"version {number}",
                lineterm="",
            )
        )
    return {
        "versions": versions,
        "number": number,
        "against": against,
        "source": source,
        "difference": difference,
    }


@blueprint.get("/dags/<dag_id>/events")
@requires("audit")
def events(dag_id: str) -> ResponseReturnValue:
    """List what people did with this DAG, and on request what the system did."""
    return render_template(
        "dag_events.html", head=dag_head(dag_id), tab="events", live=None, **read_events(dag_id)
    )


def read_events(dag_id: str | None, run_id: str | None = None) -> dict[str, Any]:
    """Return one page of the event log as the address asks for it."""
    with_state_changes = request.args.get("all") == "1"
    rows = services().store.events.list(
        dag_id=dag_id,
        run_id=run_id,
        with_state_changes=with_state_changes,
        before_id=request.args.get("before", type=int),
        limit=EVENTS_PER_PAGE,
    )
    return {
        "events": rows,
        "with_state_changes": with_state_changes,
        "next_before": rows[-1].id if len(rows) == EVENTS_PER_PAGE else None,
    }


@blueprint.get("/dags/<dag_id>/details")
@requires("read")
def details(dag_id: str) -> ResponseReturnValue:
    """Show everything else that is known of a DAG."""
    dag = services().store.dags.serialized(dag_id)
    return render_template(
        "dag_details.html", head=dag_head(dag_id), tab="details", dag=dag, live=None
    )
