"""One run with its task instances."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from .auth import requires
from .services import services

blueprint = Blueprint("runs", __name__)

INSTANCES_PER_PAGE = 1000


@blueprint.get("/dags/<dag_id>/runs/<run_id>")
@requires("read")
def show(dag_id: str, run_id: str) -> ResponseReturnValue:
    """Show one run: its facts and the state of each task instance, in the order of the graph."""
    store = services().store
    run = store.runs.get(dag_id, run_id)
    order = {task.task_id: n for n, task in enumerate(store.dags.version(run.version_id).tasks)}
    instances = sorted(
        store.task_instances.list(dag_id, run_id, limit=INSTANCES_PER_PAGE),
        key=lambda row: (order.get(row.task_id, len(order)), row.map_index),
    )
    is_live = run.state in ("queued", "running")
    return render_template(
        "run.html", run=run, instances=instances, live="running" if is_live else "idle"
    )
