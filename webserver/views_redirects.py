"""Addresses of Airflow 2 and 3 that stand in mails, alerts and bookmarks: they lead to ours."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from .auth import requires

blueprint = Blueprint("redirects", __name__)

#: Last word of an address of Airflow 2 → our page about the DAG, and about one run of it.
VIEWS = {
    "grid": ("dags.show", "runs.show"),
    "tree": ("dags.show", "runs.show"),
    "gantt": ("dags.show", "gantts.show"),
    "duration": ("durations.of_dag", "runs.show"),
    "tries": ("durations.of_dag", "runs.show"),
    "landing_times": ("durations.of_dag", "runs.show"),
    "audit_log": ("dag.events", "runs.events"),
    "overview": ("dag.details", "runs.show"),
    "required_actions": ("dags.show", "runs.show"),
}
PLACES = {
    "home": "dags.index",
    "dagrun/list/": "browse.runs",
    "taskinstance/list/": "browse.instances",
    "variable/list/": "admin.variables",
    "connection/list/": "admin.connections",
    "pool/list/": "admin.pools",
    "log/list/": "admin.audit",
    "job/list/": "admin.jobs",
    "users/list/": "people.users",
    "roles/list/": "people.roles",
    "configuration": "admin.configuration",
    "provider": "packages.providers",
    "plugin": "packages.plugins",
    "cluster_activity": "timeline.index",
    "xcom/list/": "browse.instances",
}


@requires("read")
def of_dag(dag_id: str) -> ResponseReturnValue:
    """Lead a view of Airflow 2 to ours, with its run and its task instance."""
    run_id = request.args.get("dag_run_id") or request.args.get("run_id")
    task_id = request.args.get("task_id")
    whole, of_run = VIEWS[request.path.rpartition("/")[2]]
    if run_id and task_id:
        found = url_for(
            "task_instances.show",
            dag_id=dag_id,
            run_id=run_id,
            task_id=task_id,
            **_map_index(request.args.get("map_index")),
        )
    elif run_id:
        found = url_for(of_run, dag_id=dag_id, run_id=run_id)
    elif task_id:
        found = url_for("durations.of_task", dag_id=dag_id, task_id=task_id)
    else:
        found = url_for(whole, dag_id=dag_id)
    return redirect(found, 301)


def _map_index(text: str | None) -> dict[str, Any]:
    is_index = text is not None and text.isascii() and text.isdigit()
    return {"map_index": text} if is_index else {}


@requires("read")
def of_place() -> ResponseReturnValue:
    """Lead a list of Airflow 2 to ours."""
    return redirect(url_for(PLACES[request.path.lstrip("/")]), 301)


for _view in VIEWS:
    blueprint.add_url_rule(f"/dags/<dag_id>/{_view}", view_func=of_dag)
for _place in PLACES:
    blueprint.add_url_rule(f"/{_place}", view_func=of_place)


@blueprint.get("/dags/<dag_id>/runs/<run_id>/tasks/group/<group_id>")
@requires("read")
def of_group(dag_id: str, run_id: str, group_id: str) -> ResponseReturnValue:
    """Lead a group in a run to its task instances."""
    return redirect(url_for("runs.show", dag_id=dag_id, run_id=run_id, search=f"{group_id}."))
