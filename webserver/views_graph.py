"""The graph of a DAG, with the states of its newest run or another; that of one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..database.errors import NotFound
from .addresses import quoted, task_instances_of, tasks_of
from .auth import requires
from .graph import View, can_open, default_open, draw
from .graph_folding import HOPS_DEFAULT, HOPS_MAX
from .graph_svg import nodes_markup
from .heads import dag_head, liveness
from .services import services
from .views_runs import run_head

if TYPE_CHECKING:
    from ..sdk.serialized import SerializedDag

blueprint = Blueprint("graphs", __name__)

#: Runs whose states can be chosen for the graph of a DAG.
RUNS_OFFERED = 15


@blueprint.get("/dags/<dag_id>/graph")
@requires("read")
def of_dag(dag_id: str) -> ResponseReturnValue:
    """Draw the newest version, or another, with the states of the newest run, or of another."""
    store = services().store
    head = dag_head(dag_id)
    runs = store.runs.list(dag_id, limit=RUNS_OFFERED)
    asked = request.args.get("run_id")
    run = store.runs.get(dag_id, asked) if asked else runs[0] if runs else None
    versions = store.dags.versions(dag_id)
    number = request.args.get("version", type=int)
    dag = store.dags.serialized(dag_id)
    if number is not None:
        version = next((one for one in versions if one.number == number), None)
        if version is None:
            raise NotFound(f"DAG {dag_id!r} has no version {number}.")
        dag = store.dags.version(version.id)
    states = store.history.cells([run.id])[run.id] if run else {}
    return render_template(
        "dag_graph.html",
        head=head,
        tab="graph",
        live=liveness([run] if run else []),
        runs=runs,
        run=run,
        versions=versions,
        number=number,
        **graph_arguments(
            dag,
            states,
            {"dag_id": dag_id, "run_id": asked, "version": number},
            "graphs.of_dag",
            run.run_id if run else None,
        ),
    )


@blueprint.get("/dags/<dag_id>/runs/<run_id>/graph")
@requires("read")
def of_run(dag_id: str, run_id: str) -> ResponseReturnValue:
    """Draw the version that this run has, with its states."""
    head = run_head(dag_id, run_id, "graph")
    store, run = services().store, head["run"]
    return render_template(
        "run_graph.html",
        **head,
        **graph_arguments(
            store.dags.version(run.version_id),
            store.history.cells([run.id])[run.id],
            {"dag_id": dag_id, "run_id": run_id},
            "graphs.of_run",
            run_id,
        ),
    )


def graph_arguments(
    dag: SerializedDag,
    states: Any,
    place: dict[str, Any],
    endpoint: str,
    run_id: str | None,
) -> dict[str, Any]:
    """Return what ``graph_view.html`` needs, as the address asks for it.

    Args:
        place: the arguments that every address of this page keeps.
        run_id: whose task instances the boxes lead to, None: to the tasks over all runs.
    """
    asked, around = request.args.get("open"), request.args.get("around", "")
    hops = min(max(1, request.args.get("hops", HOPS_DEFAULT, type=int)), HOPS_MAX)
    is_downward = request.args.get("direction") == "down"
    with_assets = request.args.get("assets") == "1"
    if asked is None:
        open_ids = default_open(dag)
    elif asked == "all":
        open_ids = can_open(dag)
    else:
        open_ids = can_open(dag) & set(asked.split(","))
    kept = {
        "open": asked,
        "around": around or None,
        "hops": hops if hops != HOPS_DEFAULT else None,
        "direction": "down" if is_downward else None,
        "assets": "1" if with_assets else None,
    }

    def graph_url(toggle: str = "", **changed: str | None) -> str:
        arguments: dict[str, Any] = {**kept, **changed}
        if toggle:
            # Nested groups stay as they are: an opened one shows them as they were left.
            arguments["open"] = ",".join(sorted(open_ids ^ {toggle})) or "none"
        return url_for(endpoint, **place, **arguments)

    tasks_url = tasks_of(dag.dag_id) if run_id is None else task_instances_of(dag.dag_id, run_id)

    def task_url(id_: str, kind: str) -> str:
        if kind == "asset":
            return url_for("asset_pages.index", search=id_.partition(":")[2])
        return tasks_url + quoted(id_)

    view = View(open_ids, around, hops, is_downward, with_assets)
    drawing = draw(dag, view, states)
    return {
        "drawing": drawing,
        "nodes": nodes_markup(drawing, lambda id_: graph_url(toggle=id_), task_url),
        "graph_url": graph_url,
        "is_around_asked": bool(around),
        "kept": {**place, **kept},
        "view": view,
        "has_assets": any(task.inlets or task.outlets for task in dag.tasks),
    }
