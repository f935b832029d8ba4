"""Acts on several runs, task instances or DAGs at once; a page says first what they will do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from ..control import clear as clear_verb
from ..control import mark as mark_verb
from ..control import pause as pause_verb
from ..control.runs import delete_run
from ..control.trigger import trigger_dag
from ..sdk.errors import TradewindError
from . import equivalents
from .auth import may, requires, safe_next
from .services import acting_services, services
from .words import counted

blueprint = Blueprint("bulk", __name__)

#: More at once would hold the database for too long.
ITEMS_MAX = 1000
LISTED_MAX = 50
#: What is chosen → act → what the button says.
ACTS: dict[str, dict[str, str]] = {
    "runs": {
        "clear": "Clear",
        "clear_failed": "Clear failed tasks",
        "success": "Mark success",
        "failed": "Mark failed",
        "delete": "Delete",
    },
    "instances": {
        "clear": "Clear",
        "clear_downstream": "Clear with downstream",
        "success": "Mark success",
        "failed": "Mark failed",
        "skipped": "Mark skipped",
    },
    "dags": {"pause": "Pause", "unpause": "Switch on", "trigger": "Trigger"},
}
WHAT = {"runs": "run", "instances": "task instance", "dags": "DAG"}
#: How many parts an item has: ids, and with an instance its map index.
PARTS = {"runs": 2, "instances": 4, "dags": 1}


def _items(kind: str) -> list[tuple[Any, ...]]:
    """Read what was chosen: each item is a JSON list of ids."""
    found = []
    for text in dict.fromkeys(request.form.getlist("item")):
        try:
            parts = json.loads(text)
        except ValueError:
            parts = None
        is_good = (
            isinstance(parts, list)
            and len(parts) == PARTS[kind]
            and all(isinstance(part, str) for part in parts[:3])
            and all(isinstance(part, int) for part in parts[3:])
        )
        if not is_good:
            abort(400, "What was chosen cannot be read. Reload the page, and choose again.")
        found.append(tuple(parts))
    if not found:
        abort(400, f"Choose at least one {WHAT[kind]} first.")
    if len(found) > ITEMS_MAX:
        abort(400, f"At most {ITEMS_MAX} at once; these are {len(found)}.")
    return found


@blueprint.post("/bulk/<kind>")
@requires("edit")
def act(kind: str) -> ResponseReturnValue:
    """Say what would change; with ``agreed`` do it."""
    if kind not in ACTS:
        abort(404, f"There is nothing called {kind} to choose from.")
    verb = request.form.get("act", "")
    if verb not in ACTS[kind]:
        abort(400, f"There is no act {verb!r} on {kind}.")
    items = _items(kind)
    foreign = sorted({item[0] for item in items if not may("edit", item[0])})
    if foreign:
        abort(403, f"You may not change {', '.join(foreign[:5])}.")
    back = safe_next(request.form.get("back", "/"))
    if request.form.get("agreed") != "yes":
        return _confirm(kind, verb, items, back)
    done, refusals = _do(kind, verb, items)
    text = f"{ACTS[kind][verb]}: {counted(done, WHAT[kind])}."
    if refusals:
        text += f" Refused: {counted(len(refusals), WHAT[kind])}; first: {refusals[0]}"
    flash(text, "error" if refusals else "message")
    return redirect(back)


def _confirm(
    kind: str, verb: str, items: Sequence[tuple[Any, ...]], back: str
) -> ResponseReturnValue:
    touched, states = len(items), Counter[str]()
    note = ""
    if verb.startswith("clear"):
        rows = [row for wanted in _clears(kind, verb, items) for row in _preview(wanted)]
        touched = len({(row.dag_id, row.run_id, row.task_id, row.map_index) for row in rows})
        states = Counter(row.state.value for row in rows)
        note = f"{counted(touched, 'task instance')} will go again."
    elif verb == "unpause":
        due = sum(pause_verb.count_catchup_runs(services(), item[0]) for item in items)
        note = f"Their schedules make {counted(due, 'run')} at once."
    elif verb == "delete":
        note = "This cannot be undone: task instances, tries and XComs go with them."
    return render_template(
        "bulk_confirm.html",
        kind=kind,
        verb=verb,
        word=ACTS[kind][verb],
        what=counted(len(items), WHAT[kind]),
        items=items,
        listed=items[:LISTED_MAX],
        note=note,
        states=states,
        is_empty=touched == 0,
        copied=_copied(kind, verb, items),
        back=back,
    )


def _copied(kind: str, verb: str, items: Sequence[tuple[Any, ...]]) -> list[tuple[str, str]]:
    """Return the same acts as commands and as calls, a line each; of many the first ones."""
    lines: dict[str, list[str]] = {}
    for item in items[:LISTED_MAX]:
        act, about = _as_single_act(kind, verb, item)
        for label, text in equivalents.here(act, **about):
            lines.setdefault(label, []).append(text)
    return [(label, "\n".join(texts)) for label, texts in lines.items()]


def _as_single_act(kind: str, verb: str, item: tuple[Any, ...]) -> tuple[str, dict[str, Any]]:
    about: dict[str, Any] = dict(zip(("dag_id", "run_id", "task_id"), item, strict=False))
    if kind == "instances" and item[3] >= 0:
        about["map_index"] = item[3]
    if verb.startswith("clear"):
        about |= {"only_failed": verb == "clear_failed", "downstream": verb == "clear_downstream"}
        return "clear", about
    if verb == "delete":
        return "delete_run", about
    if kind == "dags":
        return (
            ("trigger", about)
            if verb == "trigger"
            else ("pause", {**about, "is_paused": verb == "pause"})
        )
    return "mark_task" if kind == "instances" else "mark_run", {**about, "state": verb}


def _preview(wanted: clear_verb.ClearRequest) -> Sequence[Any]:
    return clear_verb.preview(services(), wanted)


def _clears(
    kind: str, verb: str, items: Sequence[tuple[Any, ...]]
) -> list[clear_verb.ClearRequest]:
    """Return one request for each DAG, or for each run where single instances are meant."""
    by_place: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for item in items:
        by_place.setdefault(item[:1] if kind == "runs" else item[:2], []).append(item)
    return [
        clear_verb.ClearRequest(
            dag_id=place[0],
            run_ids=[item[1] for item in some] if kind == "runs" else [place[1]],
            instances=None if kind == "runs" else [(item[2], item[3]) for item in some],
            include_downstream=verb == "clear_downstream",
            only_failed=verb == "clear_failed",
        )
        for place, some in by_place.items()
    ]


def _do(kind: str, verb: str, items: Sequence[tuple[Any, ...]]) -> tuple[int, list[str]]:
    """Do it for each; return for how many, and why others were refused."""
    acting, refusals, done = acting_services(), [], 0
    if verb.startswith("clear"):
        for wanted in _clears(kind, verb, items):
            try:
                clear_verb.clear(acting, wanted)
                done += len(wanted.instances or wanted.run_ids or ())
            except TradewindError as error:
                refusals.append(str(error))
        return done, refusals
    for item in items:
        try:
            _do_one(acting, kind, verb, item)
            done += 1
        except TradewindError as error:
            refusals.append(str(error))
    return done, refusals


def _do_one(acting: Any, kind: str, verb: str, item: tuple[Any, ...]) -> None:
    if kind == "dags":
        if verb == "trigger":
            trigger_dag(acting, item[0], triggered_by="ui")
        else:
            dag = acting.store.dags.get(item[0])
            pause_verb.set_paused(acting, [dag], is_paused=verb == "pause")
    elif kind == "runs":
        if verb == "delete":
            delete_run(acting, item[0], item[1])
        else:
            mark_verb.mark_run(acting, item[0], item[1], verb)
    else:
        mark_verb.mark_task(acting, item[0], item[1], item[2], verb, map_index=item[3])


def bulk_acts(kind: str) -> dict[str, str]:
    """Return act → word for the bar above a table; for templates."""
    return ACTS[kind]
