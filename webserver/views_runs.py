"""One run: its task instances, graph, Gantt, events, code and details."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ..control.explain import why_waiting
from .auth import requires
from .heads import liveness, run_tabs
from .paging import page_of
from .services import services
from .views_dag_tabs import code_arguments, read_events

blueprint = Blueprint("runs", __name__)

INSTANCES_PER_PAGE = 500


def run_head(dag_id: str, run_id: str, tab: str) -> dict[str, Any]:
    """Return what stands at the head of every page about a run."""
    store = services().store
    run = store.runs.get(dag_id, run_id)
    return {
        "run": run,
        "dag": store.dags.get(dag_id),
        "counts": store.runs.counts([run.id])[run.id],
        "tabs_of_run": run_tabs(dag_id, run_id),
        "tab": tab,
        "live": liveness([run]),
    }


@blueprint.get("/dags/<dag_id>/runs/<run_id>")
@requires("read")
def show(dag_id: str, run_id: str) -> ResponseReturnValue:
    """Show one run: its facts and the state of each task instance, in the order of the graph."""
    head = run_head(dag_id, run_id, "tasks")
    if request.headers.get("X-Fragment") == "side":
        return render_template("run_side.html", **head)
    store = services().store
    state = request.args.get("state", "")
    states = (state,) if state in head["counts"] else ()
    order = {
        task.task_id: n for n, task in enumerate(store.dags.version(head["run"].version_id).tasks)
    }
    search = request.args.get("search", "").strip()
    wanted = [id_ for id_ in order if search.lower() in id_.lower()] if search else None
    total = head["counts"].get(state, 0) if states else sum(head["counts"].values())
    if wanted is not None:
        total = store.task_instances.count(
            dag_id=dag_id, run_ids=[run_id], task_ids=wanted, states=list(states) or None
        )
    page = page_of(
        total,
        lambda limit, offset: sorted(
            store.task_instances.list(
                dag_id, run_id, task_ids=wanted, states=states, limit=limit, offset=offset
            ),
            key=lambda row: (order.get(row.task_id, len(order)), row.map_index),
        ),
        INSTANCES_PER_PAGE,
        {"dag_id": dag_id, "run_id": run_id, "state": state, "search": search},
    )
    return render_template(
        "run.html",
        page=page,
        state=state,
        search=search,
        waits=why_waiting(services(), head["run"], page.rows) if head["live"] == "running" else {},
        **head,
    )


@blueprint.get("/dags/<dag_id>/runs/<run_id>/events")
@requires("audit")
def events(dag_id: str, run_id: str) -> ResponseReturnValue:
    """List what people did with this run."""
    head = run_head(dag_id, run_id, "events")
    return render_template("run_events.html", **head, **read_events(dag_id, run_id))


@blueprint.get("/dags/<dag_id>/runs/<run_id>/code")
@requires("read")
def code(dag_id: str, run_id: str) -> ResponseReturnValue:
    """Show the file of the version that this run has."""
    head = run_head(dag_id, run_id, "code")
    number = services().store.dags.structured(head["run"].version_id).number
    asked = request.args.get("version", number, type=int)
    return render_template("run_code.html", **head, **code_arguments(dag_id, asked))


@blueprint.get("/dags/<dag_id>/runs/<run_id>/details")
@requires("read")
def details(dag_id: str, run_id: str) -> ResponseReturnValue:
    """Show everything else that is known of a run."""
    return render_template("run_details.html", **run_head(dag_id, run_id, "details"))
