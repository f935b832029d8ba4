"""One task instance: log, rendered fields, XComs, tries, events, details; and why it waits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from ..control.explain import why_not_running
from ..control.task_logs import find_log
from ..sdk.states import FINISHED, TaskInstanceState
from ..sdk.xcom_serialization import describe
from .auth import may, requires
from .paging import page_of
from .services import services
from .task_log import LogPart, find_words, lines_markup, read_part
from .views_questions import find_question

blueprint = Blueprint("task_instances", __name__)

INSTANCES_LISTED_MAX = 100
EVENTS_MAX = 200
TABS = (
    ("logs", "Logs", "read"),
    ("rendered", "Rendered", "read"),
    ("xcom", "XCom", "read"),
    ("tries", "Tries", "read"),
    ("mapped", "Mapped", "read"),
    ("events", "Events", "audit"),
    ("details", "Details", "read"),
)


@blueprint.get("/dags/<dag_id>/runs/<run_id>/tasks/<task_id>")
@blueprint.get("/dags/<dag_id>/runs/<run_id>/tasks/<task_id>/mapped/<int:index>", endpoint="mapped")
@requires("read")
def show(dag_id: str, run_id: str, task_id: str, index: int | None = None) -> ResponseReturnValue:
    """Show one task instance; ``map_index``, ``try_number`` and ``tab`` are arguments.

    Without a map index a mapped task shows the table of its instances.
    """
    asked = index if index is not None else request.args.get("map_index", type=int)
    store = services().store
    run = store.runs.get(dag_id, run_id)
    siblings = store.task_instances.list(dag_id, run_id, task_ids=[task_id], limit=2)
    map_index = asked if asked is not None else -1
    is_group = asked is None and bool(siblings) and siblings[0].map_index >= 0
    if is_group:
        map_index = siblings[0].map_index
    instance = store.task_instances.get(dag_id, run_id, task_id, map_index)
    attempts = store.task_instances.tries(dag_id, run_id, task_id, map_index)
    try_number = request.args.get("try_number", instance.try_number, type=int)
    is_finished = TaskInstanceState(instance.state) in FINISHED
    tab = request.args.get("tab", "mapped" if is_group else "logs")
    names = [name for name, _, needed in TABS if may(needed)]
    if len(siblings) < 2 and not is_group:
        names.remove("mapped")
    if tab not in names:
        abort(404 if tab not in {name for name, _, _ in TABS} else 403, f"There is no tab {tab}.")
    place: dict[str, Any] = {
        "dag_id": dag_id,
        "run_id": run_id,
        "task_id": task_id,
        "map_index": map_index if map_index >= 0 else None,
    }
    arguments: dict[str, Any] = {
        "run": run,
        "instance": instance,
        "place": place,
        "is_group": is_group,
        "is_mapped": bool(siblings) and siblings[0].map_index >= 0,
        "attempts": attempts,
        "try_numbers": sorted({one.try_number for one in attempts}),
        "try_number": try_number,
        "tab": tab,
        "tabs_of_instance": [
            (name, word, url_for("task_instances.show", **place, tab=name))
            for name, word, _ in TABS
            if name in names
        ],
        "question": None if is_group else find_question(instance),
        "waits": []
        if is_finished
        else why_not_running(services(), dag_id, run_id, task_id, map_index),
        "live": "idle" if is_finished else "running",
    }
    if request.headers.get("X-Fragment") == "side":
        return render_template("task_instance_side.html", **arguments)
    return render_template("task_instance.html", **arguments, **_tab_arguments(tab, arguments))


def _tab_arguments(tab: str, known: dict[str, Any]) -> dict[str, Any]:
    """Read what only one tab shows."""
    store, instance = services().store, known["instance"]
    ids = (instance.dag_id, instance.run_id, instance.task_id)
    if tab == "logs":
        path = find_log(store, known["attempts"], known["try_number"])
        part = read_part(path) if path else None
        is_open = not known["attempts"] or known["try_number"] == instance.try_number
        return {
            "part": part,
            "lines": lines_markup(part) if part else "",
            "is_followed": known["live"] == "running" and is_open,
            "missing": "This try has no log."
            if known["attempts"]
            else "It has not started: no log yet.",
        }
    if tab == "rendered":
        fields = store.task_instances.rendered_fields(instance.id)
        return {"fields": {name: _text(value) for name, value in fields.items()}}
    if tab == "xcom":
        entries = store.xcoms.list(*ids, instance.map_index)
        return {"xcoms": [(one, describe(one.value)) for one in entries]}
    if tab == "mapped":
        return _mapped_arguments(*ids)
    if tab == "events":
        rows = store.events.list(dag_id=ids[0], run_id=ids[1], task_id=ids[2], limit=EVENTS_MAX)
        return {"events": rows, "with_state_changes": False, "next_before": None}
    return {}


def _mapped_arguments(dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
    """Read one page of the mapped instances of a task, and how many are in each state."""
    store = services().store
    run = store.runs.get(dag_id, run_id)
    counts = store.history.cells([run.id])[run.id].get(task_id, {})
    state = request.args.get("state", "")
    states = (state,) if state in counts else ()
    page = page_of(
        counts[state] if states else sum(counts.values()),
        lambda limit, offset: store.task_instances.list(
            dag_id, run_id, task_ids=[task_id], states=states, limit=limit, offset=offset
        ),
        INSTANCES_LISTED_MAX,
        {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "tab": "mapped", "state": state},
    )
    return {"page": page, "counts": counts, "state": state if states else ""}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)


@blueprint.get("/dags/<dag_id>/runs/<run_id>/tasks/<task_id>/log")
@requires("read")
def download(dag_id: str, run_id: str, task_id: str) -> ResponseReturnValue:
    """Send the whole log of one try."""
    path = _asked_log(dag_id, run_id, task_id)
    if path is None:
        abort(404, "This try has no log.")
    stream = path if isinstance(path, Path) else path.open("rb")
    return send_file(stream, mimetype="text/plain", as_attachment=True, download_name=path.name)


@blueprint.get("/ui/log/<dag_id>/<run_id>/<task_id>/find")
@requires("read")
def log_find(dag_id: str, run_id: str, task_id: str) -> ResponseReturnValue:
    """Answer the part of a log that begins with the next line that holds ``words``."""
    path = _asked_log(dag_id, run_id, task_id)
    words = request.args.get("words", "")[:200]
    if path is None or not words:
        return _json(found=None, looked_to=0)
    start, looked_to = find_words(path, words, request.args.get("start", 0, type=int))
    if start is None:
        return _json(found=None, looked_to=looked_to)
    part = read_part(path, start)
    return _json(found=start, lines=part.lines, start=part.start, end=part.end, size=part.size)


@blueprint.get("/ui/log/<dag_id>/<run_id>/<task_id>")
@requires("read")
def log_part(dag_id: str, run_id: str, task_id: str) -> ResponseReturnValue:
    """Answer lines from byte ``start`` on, or those ``before`` a byte, and whether more come."""
    path = _asked_log(dag_id, run_id, task_id)
    map_index = request.args.get("map_index", -1, type=int)
    instance = services().store.task_instances.get(dag_id, run_id, task_id, map_index)
    is_finished = TaskInstanceState(instance.state) in FINISHED
    start, before = request.args.get("start", type=int), request.args.get("before", type=int)
    part = read_part(path, start, before) if path else LogPart([], 0, 0, 0)
    return _json(
        lines=part.lines, start=part.start, end=part.end, size=part.size, is_finished=is_finished
    )


def _json(**values: Any) -> Response:
    return jsonify(values)


def _asked_log(dag_id: str, run_id: str, task_id: str) -> Any:
    map_index = request.args.get("map_index", -1, type=int)
    attempts = services().store.task_instances.tries(dag_id, run_id, task_id, map_index)
    return find_log(services().store, attempts, request.args.get("try_number", 1, type=int))
