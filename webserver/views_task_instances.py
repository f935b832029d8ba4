"""One task instance: why it waits, its tries, and the log of one try."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request, send_file
from flask.typing import ResponseReturnValue

from ..control.explain import why_not_running
from ..control.task_logs import find_log, tail_text
from ..sdk.states import FINISHED, TaskInstanceState
from .auth import requires
from .services import services

blueprint = Blueprint("task_instances", __name__)

LOG_BYTES_SHOWN_MAX = 512 * 1024


@blueprint.get("/dags/<dag_id>/runs/<run_id>/tasks/<task_id>")
@requires("read")
def show(dag_id: str, run_id: str, task_id: str) -> ResponseReturnValue:
    """Show one task instance; ``map_index`` and ``try_number`` are arguments."""
    map_index = request.args.get("map_index", -1, type=int)
    store = services().store
    run = store.runs.get(dag_id, run_id)
    instance = store.task_instances.get(dag_id, run_id, task_id, map_index)
    attempts = store.task_instances.tries(dag_id, run_id, task_id, map_index)
    try_number = request.args.get("try_number", instance.try_number, type=int)
    path = find_log(attempts, try_number)
    text, is_cut = tail_text(path, LOG_BYTES_SHOWN_MAX) if path else (None, False)
    is_finished = TaskInstanceState(instance.state) in FINISHED
    return render_template(
        "task_instance.html",
        run=run,
        instance=instance,
        attempts=attempts,
        try_number=try_number,
        waits=[]
        if is_finished
        else why_not_running(services(), dag_id, run_id, task_id, map_index),
        log=text,
        log_is_cut=is_cut,
        log_missing="This try has no log." if attempts else "It has not started: no log yet.",
        live="idle" if is_finished else "running",
    )


@blueprint.get("/dags/<dag_id>/runs/<run_id>/tasks/<task_id>/log")
@requires("read")
def download(dag_id: str, run_id: str, task_id: str) -> ResponseReturnValue:
    """Send the whole log of one try."""
    map_index = request.args.get("map_index", -1, type=int)
    attempts = services().store.task_instances.tries(dag_id, run_id, task_id, map_index)
    path = find_log(attempts, request.args.get("try_number", 1, type=int))
    if path is None:
        abort(404, "This try has no log.")
    return send_file(path, mimetype="text/plain", as_attachment=True, download_name=path.name)
