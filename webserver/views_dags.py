"""The list of DAGs, one DAG with its runs, the pause switch, and the trigger form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control import pause
from ..control import trigger as trigger_verb
from ..control.input import parse_json_object
from ..sdk.configuration import dags_folder
from ..sdk.errors import TradewindError
from .auth import requires, safe_next
from .services import acting_services, services

if TYPE_CHECKING:
    from ..database.values import DagRow, RunRow

blueprint = Blueprint("dags", __name__)

DAGS_PER_PAGE = 50
RUNS_PER_PAGE = 50
RECENT_RUNS = 14
OFFSET_MAX = 1_000_000
BAR_HEIGHT_MIN, BAR_HEIGHT_MAX = 4, 24


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the list, and where its neighbours begin (None: there is none)."""

    rows: list[dict[str, Any]]
    total: int
    offset: int
    previous_offset: int
    next_offset: int | None


@blueprint.get("/dags")
@requires("read")
def index() -> ResponseReturnValue:
    """List DAGs with their schedule, next run and latest runs."""
    store = services().store
    search = request.args.get("search", "").strip()
    offset = min(max(0, request.args.get("offset", 0, type=int)), OFFSET_MAX)
    pattern = search or None
    total = store.dags.count(pattern=pattern)
    dags = store.dags.list(pattern=pattern, limit=DAGS_PER_PAGE, offset=offset)
    recent = store.dags.last_runs([dag.dag_id for dag in dags], per_dag=RECENT_RUNS)
    rows = [_list_row(dag, recent.get(dag.dag_id, [])) for dag in dags]
    following = offset + DAGS_PER_PAGE
    page = Page(
        rows,
        total,
        offset,
        max(0, offset - DAGS_PER_PAGE),
        following if following < total else None,
    )
    return render_template(
        "dags.html",
        page=page,
        search=search,
        import_error_count=len(store.files.import_errors()),
        dags_folder=dags_folder(),
        bar_height=bar_height,
        live=_liveness([run for row in rows for run in row["recent_runs"]]),
    )


@blueprint.get("/dags/<dag_id>")
@requires("read")
def show(dag_id: str) -> ResponseReturnValue:
    """Show one DAG: its facts, its latest runs, its tasks."""
    store = services().store
    dag = store.dags.get(dag_id)
    file = store.files.get(dag.relative_fileloc)
    runs = store.runs.list(dag_id, limit=RUNS_PER_PAGE)
    return render_template(
        "dag.html",
        dag=dag,
        runs=runs,
        tasks=store.dags.serialized(dag_id).tasks,
        import_error=file.error if file else None,
        live=_liveness(runs),
    )


@blueprint.post("/dags/<dag_id>/paused")
@requires("edit")
def set_paused(dag_id: str) -> ResponseReturnValue:
    """Switch a DAG on or off; un-pausing says how many runs catchup creates."""
    is_paused = request.form.get("is_paused") == "true"
    acting = acting_services()
    changed = pause.set_paused(acting, [acting.store.dags.get(dag_id)], is_paused=is_paused)
    due = pause.count_catchup_runs(acting, dag_id) if changed and not is_paused else 0
    if due > 1:
        flash(f"{dag_id} is active: catchup creates {due} runs.")
    if request.form.get("back") == "dag":
        return redirect(url_for("dags.show", dag_id=dag_id))
    # Back to where the reader was in the list, as far as that is a page of ours.
    came_from = urlsplit(request.referrer or "")
    return redirect(safe_next(f"/dags?{came_from.query}" if came_from.query else "/dags"))


@blueprint.get("/dags/<dag_id>/trigger")
@requires("edit")
def trigger_form(dag_id: str) -> ResponseReturnValue:
    """Ask for a configuration, filled with the defaults of the DAG's params."""
    dag = services().store.dags.get(dag_id)
    params = services().store.dags.serialized(dag_id).params
    defaults = {param.name: param.default for param in params if param.has_default}
    return render_template("trigger.html", dag=dag, conf=json.dumps(defaults, indent=2), run_id="")


@blueprint.post("/dags/<dag_id>/trigger")
@requires("edit")
def trigger(dag_id: str) -> ResponseReturnValue:
    """Create a manual run; a refusal keeps what was typed."""
    text = request.form.get("conf", "").strip()
    run_id = request.form.get("run_id", "").strip()
    try:
        run = trigger_verb.trigger_dag(
            acting_services(),
            dag_id,
            conf=parse_json_object(text, "The configuration"),
            run_id=run_id or None,
            triggered_by="ui",
        )
    except TradewindError as error:
        dag = services().store.dags.get(dag_id)
        page = render_template("trigger.html", dag=dag, conf=text, run_id=run_id, error=str(error))
        return page, 400
    return redirect(url_for("runs.show", dag_id=dag_id, run_id=run.run_id))


def bar_height(run: RunRow, runs: list[RunRow]) -> int:
    """Return the height in pixels of one run's bar: its duration against the longest of *runs*."""
    longest_s = max((_duration_s(other) for other in runs), default=0.0)
    share = _duration_s(run) / longest_s if longest_s else 0.0
    return round(BAR_HEIGHT_MIN + share * (BAR_HEIGHT_MAX - BAR_HEIGHT_MIN))


def _duration_s(run: RunRow) -> float:
    if run.started_at is None or run.ended_at is None:
        return 0.0
    return max(0.0, (run.ended_at - run.started_at).total_seconds())


def _list_row(dag: DagRow, recent_runs: list[RunRow]) -> dict[str, Any]:
    names = ("dag_id", "dag_display_name", "description", "is_paused", "tags", "timetable_summary")
    row = {name: getattr(dag, name) for name in names}
    return {**row, "next_run_after": dag.next_run_after, "recent_runs": recent_runs}


def _liveness(runs: list[RunRow]) -> str:
    return "running" if any(run.state in ("queued", "running") for run in runs) else "idle"
