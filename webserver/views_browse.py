"""Runs of all DAGs, and the search behind Ctrl-K."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..sdk.states import DagRunState, RunType
from .auth import may, requires
from .heads import liveness
from .paging import page_of
from .services import services

blueprint = Blueprint("browse", __name__)

RUNS_PER_PAGE = 50
FOUND_MAX = 12
#: Word, endpoint, what a reader needs to see it.
PLACES = (
    ("Home", "home.index", "read"),
    ("DAGs", "dags.index", "read"),
    ("Runs", "browse.runs", "read"),
    ("Import errors", "import_errors.index", "read"),
    ("Pools", "admin.pools", "read"),
    ("Jobs", "admin.jobs", "read"),
    ("Variables", "admin.variables", "operate"),
    ("Connections", "admin.connections", "operate"),
    ("Audit log", "admin.audit", "audit"),
    ("Users", "admin.users", "administer"),
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
    page = page_of(
        store.runs.count(dag_id, **conditions),
        lambda limit, offset: store.runs.list(dag_id, **conditions, limit=limit, offset=offset),
        RUNS_PER_PAGE,
        {"state": state, "type": kind, "search": part, "dag_id": dag_id},
    )
    return {
        "page": page,
        "counts": store.runs.counts([run.id for run in page.rows]),
        "states": [one.value for one in DagRunState],
        "types": [one.value for one in RunType],
        "live": liveness(page.rows),
    }


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
    found += [
        {"url": url_for(endpoint), "text": word, "kind": "page"}
        for word, endpoint, needed in PLACES
        if may(needed) and wanted.lower() in word.lower()
    ]
    return jsonify(found[: 2 * FOUND_MAX])
