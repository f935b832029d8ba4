"""Backfills of a DAG: those there are, a form with a dry run, pause and cancel."""

from __future__ import annotations

from collections import Counter

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control.backfill import MAX_ACTIVE_RUNS, REPROCESS_BEHAVIORS, BackfillRequest, create, plan
from ..control.input import InvalidInput, parse_instant, parse_json_object
from ..sdk.errors import TradewindError
from . import equivalents
from .auth import requires
from .heads import dag_head
from .services import acting_services, services

blueprint = Blueprint("backfills", __name__)

PLANNED_LISTED_MAX = 100
ACTIVE_RUNS_LIMIT = 1000


@blueprint.get("/dags/<dag_id>/backfills")
@requires("read")
def index(dag_id: str) -> ResponseReturnValue:
    """List backfills with their progress."""
    rows = services().store.backfills.list(dag_id=dag_id)
    is_live = any(row.completed_at is None for row in rows)
    return render_template(
        "backfills.html",
        head=dag_head(dag_id),
        tab="backfills",
        backfills=rows,
        live="running" if is_live else "idle",
    )


@blueprint.get("/dags/<dag_id>/backfill")
@requires("edit")
def form(dag_id: str) -> ResponseReturnValue:
    """Ask for a range, and list what would be made of it."""
    typed = dict(request.args)
    entries, error = None, None
    if typed.get("from") and typed.get("to"):
        try:
            entries = plan(services(), _read(dag_id, typed))
        except TradewindError as refusal:
            error = str(refusal)
    return _page(dag_id, typed, entries, error)


def _page(dag_id: str, typed: dict[str, str], entries: object, error: str | None) -> str:
    planned = list(entries) if isinstance(entries, list | tuple) else None
    counts = Counter(entry.action for entry in planned or ())
    return render_template(
        "backfill.html",
        dag=services().store.dags.get(dag_id),
        typed=typed,
        behaviors=REPROCESS_BEHAVIORS,
        active_default=MAX_ACTIVE_RUNS,
        entries=None if planned is None else planned[:PLANNED_LISTED_MAX],
        total=len(planned or ()),
        counts=counts,
        starts=counts["create"] + counts["reprocess"],
        error=error,
    )


def _read(dag_id: str, typed: dict[str, str]) -> BackfillRequest:
    behavior = typed.get("reprocess") or "none"
    if behavior not in REPROCESS_BEHAVIORS:
        raise InvalidInput(f"There is no reprocess behaviour {behavior!r}")
    try:
        active = int(typed.get("max_active") or MAX_ACTIVE_RUNS)
    except ValueError:
        raise InvalidInput("Max active runs is a number") from None
    if not 1 <= active <= ACTIVE_RUNS_LIMIT:
        raise InvalidInput(f"Max active runs is 1 to {ACTIVE_RUNS_LIMIT}, not {active}")
    return BackfillRequest(
        dag_id=dag_id,
        from_at=parse_instant(typed.get("from", "")),
        to_at=parse_instant(typed.get("to", "")),
        max_active_runs=active,
        reprocess_behavior=behavior,
        is_reverse=bool(typed.get("reverse")),
        conf=parse_json_object(typed.get("conf", ""), "The configuration"),
    )


@blueprint.get("/dags/<dag_id>/backfill/equivalent")
@requires("edit")
def equivalent(dag_id: str) -> ResponseReturnValue:
    """Say what the form would do as a command and as a call of the API."""
    typed = dict(request.args)
    try:
        wanted = _read(dag_id, typed)
        lines = equivalents.here(
            "backfill",
            **{"from": typed.get("from", "").strip(), "to": typed.get("to", "").strip()},
            dag_id=dag_id,
            max_active_runs=wanted.max_active_runs,
            reprocess=wanted.reprocess_behavior,
            reverse=wanted.is_reverse,
            conf=wanted.conf,
        )
    except TradewindError as error:
        lines = [("", str(error))]
    return render_template("equivalents.html", lines=lines)


@blueprint.post("/dags/<dag_id>/backfill")
@requires("edit")
def start(dag_id: str) -> ResponseReturnValue:
    """Create the backfill; a refusal keeps what was typed."""
    typed = dict(request.form)
    try:
        row = create(acting_services(), _read(dag_id, typed))
    except TradewindError as error:
        return _page(dag_id, typed, None, str(error)), 400
    flash(f"Backfill {row.id} is created: the scheduler starts its runs.")
    return redirect(url_for("backfills.index", dag_id=dag_id))


@blueprint.post("/dags/<dag_id>/backfills/<int:backfill_id>")
@requires("edit")
def act(dag_id: str, backfill_id: int) -> ResponseReturnValue:
    """Pause, go on with, or cancel a backfill."""
    acting = acting_services()
    if acting.store.backfills.get(backfill_id).dag_id != dag_id:
        abort(404, f"DAG {dag_id} has no backfill {backfill_id}.")
    verb = request.form.get("act")
    if verb == "cancel":
        acting.store.backfills.cancel(backfill_id, acting.now(), acting.actor)
    elif verb in ("pause", "unpause"):
        acting.store.backfills.set_paused(backfill_id, verb == "pause", acting.now(), acting.actor)
    else:
        abort(400, "A backfill can be paused, unpaused or cancelled.")
    return redirect(url_for("backfills.index", dag_id=dag_id))
