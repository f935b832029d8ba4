"""Acts of a person, each behind a page that says what will change: clear, mark, note, delete."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control import clear as clear_verb
from ..control import mark as mark_verb
from ..control.delete import delete_dag as delete_dag_verb
from ..control.notes import NOTE_LENGTH_MAX, set_note
from .auth import requires
from .form_fields import only_fields
from .services import acting_services, services
from .undo import flash_with_undo
from .words import counted

blueprint = Blueprint("acts", __name__)

LISTED_MAX = 50
TASK_STATES = ("success", "failed", "skipped")
RUN_STATES = ("success", "failed")
NOTED = ("run_id", "task_id", "map_index")
#: The choices of the clear dialog, and the words for them.
WIDTHS = {
    "downstream": "Downstream tasks",
    "upstream": "Upstream tasks",
    "past": "The same tasks in earlier runs",
    "future": "The same tasks in later runs",
    "only_failed": "Only failed ones",
}


def _map_index() -> int | None:
    return request.values.get("map_index", type=int)


def _back(dag_id: str, run_id: str | None, task_id: str | None = None) -> ResponseReturnValue:
    if run_id is None:
        return redirect(url_for("dags.show", dag_id=dag_id))
    if task_id is None:
        return redirect(url_for("runs.show", dag_id=dag_id, run_id=run_id))
    return redirect(
        url_for(
            "task_instances.show",
            dag_id=dag_id,
            run_id=run_id,
            task_id=task_id,
            map_index=_map_index(),
        )
    )


def _clear_request(dag_id: str) -> clear_verb.ClearRequest:
    values = request.values
    run_id = values.get("run_id")
    if not run_id:
        abort(400, "Which run is to be cleared?")
    task_id, map_index = values.get("task_id") or None, _map_index()
    if task_id is not None:
        known = {task.task_id for task in services().store.dags.serialized(dag_id).tasks}
        if task_id not in known:
            abort(404, f"DAG {dag_id!r} has no task {task_id!r} now.")
    is_single = task_id is not None and map_index is not None
    wide = {name: values.get(name) in ("1", "on", "true") for name in WIDTHS}
    return clear_verb.ClearRequest(
        dag_id=dag_id,
        task_ids=[task_id] if task_id is not None and not is_single else None,
        instances=[(task_id, map_index)] if is_single else None,  # type: ignore[list-item]
        run_ids=[run_id],
        include_downstream=wide["downstream"],
        include_upstream=wide["upstream"],
        include_past=wide["past"],
        include_future=wide["future"],
        only_failed=wide["only_failed"],
    )


@blueprint.get("/dags/<dag_id>/clear")
@requires("edit")
def clear_form(dag_id: str) -> ResponseReturnValue:
    """Show what would be cleared."""
    wanted = _clear_request(dag_id)
    rows = clear_verb.preview(services(), wanted)
    return render_template(
        "clear.html",
        wanted=wanted,
        task_id=request.args.get("task_id") or None,
        rows=rows[:LISTED_MAX],
        total=len(rows),
        runs=len({row.run_id for row in rows}),
        states=Counter(row.state.value for row in rows),
        widths={
            name: (word, request.args.get(name) in ("1", "on", "true"))
            for name, word in WIDTHS.items()
            if request.args.get("task_id") or name == "only_failed"
        },
        map_index=_map_index(),
        on={name: request.args.get(name) in ("1", "on", "true") for name in WIDTHS},
    )


@blueprint.post("/dags/<dag_id>/clear")
@requires("edit")
def clear(dag_id: str) -> ResponseReturnValue:
    """Clear, so that they go again."""
    only_fields("run_id", "task_id", "map_index", *WIDTHS)
    wanted = _clear_request(dag_id)
    cleared = clear_verb.clear(acting_services(), wanted)
    runs = len({row.run_id for row in cleared})
    flash(f"Cleared {counted(len(cleared), 'task instance')} in {counted(runs, 'run')}.")
    run_id = wanted.run_ids[0] if wanted.run_ids else None
    return _back(dag_id, run_id, request.form.get("task_id") or None)


@blueprint.get("/dags/<dag_id>/runs/<run_id>/mark")
@requires("edit")
def mark_run_form(dag_id: str, run_id: str) -> ResponseReturnValue:
    """Ask how a run ended."""
    run = services().store.runs.get(dag_id, run_id)
    counts = services().store.runs.counts([run.id])[run.id]
    return render_template("mark_run.html", run=run, counts=counts, states=RUN_STATES)


@blueprint.post("/dags/<dag_id>/runs/<run_id>/mark")
@requires("edit")
def mark_run(dag_id: str, run_id: str) -> ResponseReturnValue:
    """Give a run a state."""
    only_fields("state")
    state = request.form.get("state", "")
    if state not in RUN_STATES:
        abort(400, "A run can be marked success or failed.")
    before = services().store.runs.get(dag_id, run_id).state
    mark_verb.mark_run(acting_services(), dag_id, run_id, state)
    text = f"Marked the run {state}."
    if before in RUN_STATES and before != state:
        url = url_for("acts.mark_run", dag_id=dag_id, run_id=run_id)
        flash_with_undo(text, url, state=before)
    else:
        flash(text)
    return _back(dag_id, run_id)


@blueprint.get("/dags/<dag_id>/runs/<run_id>/tasks/<task_id>/mark")
@requires("edit")
def mark_form(dag_id: str, run_id: str, task_id: str) -> ResponseReturnValue:
    """Ask how a task instance ended."""
    run = services().store.runs.get(dag_id, run_id)
    return render_template(
        "mark.html", run=run, task_id=task_id, map_index=_map_index(), states=TASK_STATES
    )


@blueprint.post("/dags/<dag_id>/runs/<run_id>/tasks/<task_id>/mark")
@requires("edit")
def mark(dag_id: str, run_id: str, task_id: str) -> ResponseReturnValue:
    """Give task instances a state."""
    only_fields("state", "map_index", "upstream", "downstream")
    state = request.form.get("state", "")
    if state not in TASK_STATES:
        abort(400, "A task instance can be marked success, failed or skipped.")
    index = _map_index()
    before = services().store.task_instances.find(
        dag_id, run_id, task_id, -1 if index is None else index
    )
    marked = mark_verb.mark_task(
        acting_services(),
        dag_id,
        run_id,
        task_id,
        state,
        map_index=-1 if index is None else index,
        include_upstream=bool(request.form.get("upstream")),
        include_downstream=bool(request.form.get("downstream")),
    )
    text = f"Marked {counted(len(marked), 'task instance')} {state}."
    if len(marked) == 1 and before is not None and before.state.value in TASK_STATES:
        fields = {} if index is None else {"map_index": str(index)}
        url = url_for("acts.mark", dag_id=dag_id, run_id=run_id, task_id=task_id)
        flash_with_undo(text, url, state=before.state.value, **fields)
    else:
        flash(text)
    return _back(dag_id, run_id, task_id)


def _noted(dag_id: str) -> tuple[dict[str, Any], str]:
    """Return what the note is about, and the note as it is."""
    store, run_id = services().store, request.values.get("run_id", "")
    task_id, map_index = request.values.get("task_id") or None, _map_index()
    place = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": map_index}
    if task_id is None:
        return place, store.runs.get(dag_id, run_id).note or ""
    index = -1 if map_index is None else map_index
    return place, store.task_instances.get(dag_id, run_id, task_id, index).note or ""


@blueprint.get("/dags/<dag_id>/note")
@requires("edit")
def note_form(dag_id: str) -> ResponseReturnValue:
    """Ask for the note of a run or a task instance."""
    place, text = _noted(dag_id)
    return render_template("note.html", place=place, note=text, length_max=NOTE_LENGTH_MAX)


@blueprint.post("/dags/<dag_id>/note")
@requires("edit")
def note(dag_id: str) -> ResponseReturnValue:
    """Write the note."""
    only_fields("run_id", "task_id", "map_index", "note")
    place, before = _noted(dag_id)
    index = place["map_index"]
    set_note(
        acting_services(),
        dag_id,
        place["run_id"],
        request.form.get("note", "").strip(),
        task_id=place["task_id"],
        map_index=-1 if index is None else index,
    )
    kept = {name: str(place[name]) for name in NOTED if place[name] is not None}
    flash_with_undo("Saved the note.", url_for("acts.note", dag_id=dag_id), note=before, **kept)
    return _back(dag_id, place["run_id"], place["task_id"])


@blueprint.get("/dags/<dag_id>/runs/<run_id>/delete")
@requires("edit")
def delete_run_form(dag_id: str, run_id: str) -> ResponseReturnValue:
    """Ask before a run is deleted."""
    run = services().store.runs.get(dag_id, run_id)
    counts = services().store.runs.counts([run.id])[run.id]
    return render_template(
        "delete.html",
        what=f"run {run_id} of {dag_id}",
        loses=f"{counted(sum(counts.values()), 'task instance')} with their tries and XComs",
        action=url_for("acts.delete_run", dag_id=dag_id, run_id=run_id),
        back=url_for("runs.show", dag_id=dag_id, run_id=run_id),
        act="delete_run",
        about={"dag_id": dag_id, "run_id": run_id},
    )


@blueprint.post("/dags/<dag_id>/runs/<run_id>/delete")
@requires("edit")
def delete_run(dag_id: str, run_id: str) -> ResponseReturnValue:
    """Delete a run."""
    acting = acting_services()
    acting.store.runs.delete(dag_id, run_id, acting.now(), acting.actor)
    flash(f"Deleted run {run_id}.")
    return _back(dag_id, None)


@blueprint.get("/dags/<dag_id>/delete")
@requires("edit")
def delete_dag_form(dag_id: str) -> ResponseReturnValue:
    """Ask before a DAG is deleted."""
    services().store.dags.get(dag_id)
    runs = services().store.runs.count(dag_id)
    return render_template(
        "delete.html",
        what=f"DAG {dag_id}",
        loses=f"{counted(runs, 'run')} with all history; while its file is there, it comes back",
        action=url_for("acts.delete_dag", dag_id=dag_id),
        back=url_for("dags.show", dag_id=dag_id),
        act="delete_dag",
        about={"dag_id": dag_id},
    )


@blueprint.post("/dags/<dag_id>/delete")
@requires("edit")
def delete_dag(dag_id: str) -> ResponseReturnValue:
    """Delete a DAG with its history."""
    delete_dag_verb(acting_services(), dag_id)
    flash(f"Deleted DAG {dag_id}.")
    return redirect(url_for("dags.index"))
