"""The first page: health, what happened in the last day, what needs attention."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from .auth import requires
from .health import read_health
from .services import services

blueprint = Blueprint("home", __name__)

WINDOW = timedelta(hours=24)
LIST_MAX = 10


@blueprint.get("/")
@requires("read")
def index() -> ResponseReturnValue:
    """Show health, counts of the last 24 hours, failing DAGs, next runs, pools."""
    store, now = services().store, services().now()
    failing = store.dags.list(run_state="failed", limit=LIST_MAX)
    coming = store.dags.list(is_paused=False, order="next_run_after", limit=500)
    return render_template(
        "home.html",
        parts=read_health(),
        runs=store.history.run_states_since(now - WINDOW),
        instances=store.history.instance_states_since(now - WINDOW),
        failing=failing,
        failed_runs=store.dags.last_runs([dag.dag_id for dag in failing], per_dag=1),
        import_errors=store.files.import_errors(),
        coming=[dag for dag in coming if dag.next_run_after is not None][:LIST_MAX],
        pools=store.pools.list(),
        live="running" if store.runs.unfinished_ids() else "idle",
    )
