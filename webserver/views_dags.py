"""The list of DAGs, the pause switch, and the grid of one DAG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control import pause
from ..sdk.configuration import dags_folder
from ..sdk.states import DagRunState, RunType
from .auth import requires, safe_next
from .durations import duration_text
from .grid_reads import read_filters, read_grid
from .heads import dag_head, liveness
from .paging import page_of
from .services import acting_services, services
from .states import look_of
from .undo import flash_with_undo

if TYPE_CHECKING:
    from ..database.values import RunRow

blueprint = Blueprint("dags", __name__)

DAGS_PER_PAGE = 50
RECENT_RUNS = 14
BAR_HEIGHT_MIN, BAR_HEIGHT_MAX = 4, 24
#: How the list can be sorted, and the words for it.
LIST_ORDERS = {"dag_id": "name", "next_run_after": "next run", "-last_parsed_at": "newest file"}


@blueprint.get("/dags")
@requires("read")
def index() -> ResponseReturnValue:
    """List DAGs with their schedule, next run and latest runs."""
    store = services().store
    arguments: dict[str, Any] = {
        name: request.args.get(name, "").strip() or None
        for name in ("search", "tag", "owner", "state", "order")
    }
    conditions: dict[str, Any] = {
        "pattern": arguments["search"],
        "tags": [arguments["tag"]] if arguments["tag"] else (),
        "owner": arguments["owner"],
        "is_paused": True if arguments["state"] == "paused" else None,
    }
    if arguments["state"] in ("running", "failed"):
        conditions["run_state"] = arguments["state"]
    order = arguments["order"] if arguments["order"] in LIST_ORDERS else "dag_id"
    page = page_of(
        store.dags.count(**conditions),
        lambda limit, offset: store.dags.list(
            **conditions, limit=limit, offset=offset, order=order
        ),
        DAGS_PER_PAGE,
        arguments,
    )
    recent = store.dags.last_runs([dag.dag_id for dag in page.rows], per_dag=RECENT_RUNS)
    return render_template(
        "dags.html",
        page=page,
        recent=recent,
        chips=_chips(),
        tags=store.dags.tags(),
        orders=LIST_ORDERS,
        arguments=arguments,
        import_error_count=len(store.files.import_errors()),
        dags_folder=dags_folder(),
        bars={dag_id: recent_bars(runs) for dag_id, runs in recent.items()},
        live=liveness([run for runs in recent.values() for run in runs]),
    )


def _chips() -> list[tuple[str, str, int, str]]:
    """Return state, word, number of DAGs and icon of each chip."""
    dags = services().store.dags
    return [
        ("", "All", dags.count(), ""),
        ("failed", "Failed", dags.count(run_state="failed"), "cross"),
        ("running", "Running", dags.count(run_state="running"), "play"),
        ("paused", "Paused", dags.count(is_paused=True), "pause"),
    ]


@blueprint.get("/dags/<dag_id>")
@requires("read")
def show(dag_id: str) -> ResponseReturnValue:
    """Show one DAG: its newest runs by its tasks."""
    wanted = read_filters()
    payload, runs = read_grid(dag_id, wanted)
    return render_template(
        "dag_grid.html",
        head=dag_head(dag_id),
        tab="grid",
        payload=payload,
        filters=wanted,
        is_table=request.args.get("view") == "table",
        run_types=[one.value for one in RunType],
        run_states=[one.value for one in DagRunState],
        live=liveness(runs),
    )


@blueprint.get("/dags/<dag_id>/confirm-active")
@requires("edit")
def confirm_active(dag_id: str) -> ResponseReturnValue:
    """Say how many runs catchup makes before a DAG is switched on."""
    return render_template(
        "confirm_active.html",
        dag=services().store.dags.get(dag_id),
        due=pause.count_catchup_runs(services(), dag_id),
        back="dag" if request.args.get("back") == "dag" else "list",
    )


@blueprint.post("/dags/<dag_id>/paused")
@requires("edit")
def set_paused(dag_id: str) -> ResponseReturnValue:
    """Switch a DAG on or off; un-pausing says how many runs catchup creates."""
    is_paused = request.form.get("is_paused") == "true"
    acting = acting_services()
    changed = pause.set_paused(acting, [acting.store.dags.get(dag_id)], is_paused=is_paused)
    due = pause.count_catchup_runs(acting, dag_id) if changed and not is_paused else 0
    if changed:
        text = f"{dag_id} is {'paused' if is_paused else 'active'}."
        text += f" Catchup creates {due} runs." if due > 1 else ""
        flash_with_undo(
            text,
            url_for("dags.set_paused", dag_id=dag_id),
            is_paused="false" if is_paused else "true",
            back="dag" if request.form.get("back") == "dag" else "list",
        )
    if request.form.get("back") == "dag":
        return redirect(url_for("dags.show", dag_id=dag_id))
    # Back to where the reader was in the list, as far as that is a page of ours.
    came_from = urlsplit(request.referrer or "")
    query = f"?{came_from.query}" if came_from.query else ""
    return redirect(safe_next(url_for("dags.index") + query))


@dataclass(frozen=True, slots=True)
class RecentBar:
    """One of the newest runs in the list: a link as high as the run was long, in pixels."""

    state: str
    height: int
    url: str
    words: str


def recent_bars(runs: Sequence[RunRow]) -> list[RecentBar]:
    """Return the bars of one DAG's newest runs, oldest first."""
    if not runs:
        return []
    longest_s = max(map(_duration_s, runs)) or 1.0
    # One address a DAG: the list has hundreds of bars.
    base = url_for("dags.show", dag_id=runs[0].dag_id)
    return [
        RecentBar(
            state=run.state,
            height=round(
                BAR_HEIGHT_MIN + _duration_s(run) / longest_s * (BAR_HEIGHT_MAX - BAR_HEIGHT_MIN)
            ),
            url=f"{base}/runs/{quote(run.run_id, safe='')}",
            words=f"{run.run_id}, {look_of(run.state).label}, {duration_text(_duration_s(run))}",
        )
        for run in reversed(runs)
    ]


def _duration_s(run: RunRow) -> float:
    if run.started_at is None or run.ended_at is None:
        return 0.0
    return max(0.0, (run.ended_at - run.started_at).total_seconds())
