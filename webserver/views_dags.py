"""The list of DAGs, the pause switch, and the grid of one DAG."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control import pause
from ..sdk.configuration import conf, dags_folder
from ..sdk.states import DagRunState, RunType
from .auth import is_anybody, requires
from .dag_rows import rows_markup
from .grid_reads import read_filters, read_grid
from .heads import dag_head, liveness
from .paging import page_of
from .preferences import place_in_list
from .services import acting_services, services
from .undo import flash_with_undo

blueprint = Blueprint("dags", __name__)

DAGS_PER_PAGE = 50
RECENT_RUNS = 14
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
    hides_paused = conf.getboolean("api", "hide_paused_dags_by_default")
    if hides_paused and "state" not in request.args:
        arguments["state"] = "active"
    conditions: dict[str, Any] = {
        "pattern": arguments["search"],
        "tags": [arguments["tag"]] if arguments["tag"] else (),
        "owner": arguments["owner"],
        "is_paused": {"paused": True, "active": False}.get(str(arguments["state"])),
    }
    if arguments["state"] in ("running", "failed"):
        conditions["run_state"] = arguments["state"]
    favorites = None if is_anybody() else store.favorites.dag_ids(g.user.id)
    if arguments["state"] == "favourites":
        conditions["dag_ids"] = favorites or frozenset()
    order = arguments["order"] if arguments["order"] in LIST_ORDERS else "dag_id"
    page = page_of(
        store.dags.count(**conditions),
        lambda limit, offset: store.dags.list(
            **conditions, limit=limit, offset=offset, order=order
        ),
        DAGS_PER_PAGE,
        arguments,
    )
    recent = store.dags.brief_runs([dag.dag_id for dag in page.rows], per_dag=RECENT_RUNS)
    return render_template(
        "dags.html",
        page=page,
        lines=rows_markup(page.rows, recent, favorites, services().now()),
        chips=_chips(favorites, "all" if hides_paused else ""),
        tags=store.dags.tags(),
        orders=LIST_ORDERS,
        arguments=arguments,
        import_error_count=len(store.files.import_errors()),
        dags_folder=dags_folder(),
        live=liveness([run for runs in recent.values() for run in runs]),
    )


def _chips(favorites: frozenset[str] | None, every: str) -> list[tuple[str, str, int, str]]:
    """Return state, word, number of DAGs and icon of each chip; *every*: the state that is all."""
    dags = services().store.dags
    total, paused = dags.count(), dags.count(is_paused=True)
    own = [("favourites", "Favourites", len(favorites), "star")] if favorites else []
    return [
        (every, "All", total, ""),
        ("active", "Active", total - paused, ""),
        ("failed", "Failed", dags.count(run_state="failed"), "cross"),
        ("running", "Running", dags.count(run_state="running"), "play"),
        ("paused", "Paused", paused, "pause"),
        *own,
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
    return redirect(place_in_list())
