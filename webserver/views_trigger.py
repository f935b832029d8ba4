"""The form that triggers a run, made of the DAG's params."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from msgspec.structs import replace

from ..control import trigger as trigger_verb
from ..control.input import parse_instant, parse_json_object
from ..control.pause import set_paused
from ..sdk.errors import TradewindError
from . import equivalents
from .auth import requires
from .params_form import PREFIX, make_fields, read_conf
from .services import acting_services, services

if TYPE_CHECKING:
    from ..database.values import RunRow

blueprint = Blueprint("triggering", __name__)

#: Configurations of earlier runs that are offered, and how far back they are looked for.
RECENT_MAX, RUNS_LOOKED_AT = 5, 50


@blueprint.get("/dags/<dag_id>/trigger")
@requires("edit")
def form(dag_id: str) -> ResponseReturnValue:
    """Ask for params, dates and a note."""
    params = services().store.dags.serialized(dag_id).params
    values = {param.name: param.default for param in params if param.has_default}
    of_run = request.args.get("conf_of")
    if of_run is not None:
        values |= dict(services().store.runs.get(dag_id, of_run).conf or {})
    typed = {"conf": json.dumps(values, indent=2, ensure_ascii=False)}
    return _page(dag_id, typed, None, values if of_run else None)


def _page(
    dag_id: str, typed: dict[str, str], error: str | None, values: Mapping[str, Any] | None = None
) -> str:
    """Return the form.

    Args:
        typed: what a reader had entered, by name of the input.
        values: by name of the parameter, where they are taken from another run.
    """
    params = services().store.dags.serialized(dag_id).params
    if values is not None:
        params = [
            replace(param, default=values[param.name], has_default=True)
            if param.name in values
            else param
            for param in params
        ]
    return render_template(
        "trigger.html",
        dag=services().store.dags.get(dag_id),
        fields=make_fields(params, typed if error else None),
        typed=typed,
        error=error,
        recent=_recent_confs(dag_id),
    )


def _recent_confs(dag_id: str) -> list[RunRow]:
    """Return the newest runs that people gave a configuration, one for each that differs."""
    runs = services().store.runs.list(dag_id, run_types=("manual",), limit=RUNS_LOOKED_AT)
    found = {json.dumps(run.conf, sort_keys=True): run for run in reversed(runs) if run.conf}
    return sorted(found.values(), key=lambda run: run.id, reverse=True)[:RECENT_MAX]


def _conf(dag_id: str, typed: Mapping[str, str]) -> dict[str, Any] | None:
    params = services().store.dags.serialized(dag_id).params
    has_fields = any(name.startswith(PREFIX) for name in typed) and typed.get("as_json") != "1"
    if has_fields:
        return read_conf(params, typed) or None
    return parse_json_object(typed.get("conf", "").strip(), "The configuration")


@blueprint.get("/dags/<dag_id>/trigger/equivalent")
@requires("edit")
def equivalent(dag_id: str) -> ResponseReturnValue:
    """Say what the form would do as a command and as a call of the API."""
    typed = dict(request.args)
    try:
        lines = equivalents.here(
            "trigger",
            dag_id=dag_id,
            conf=_conf(dag_id, typed),
            run_id=typed.get("run_id", "").strip(),
            logical_date=typed.get("logical_date", "").strip(),
            note=typed.get("note", "").strip(),
        )
    except TradewindError as error:
        lines = [("", str(error))]
    return render_template("equivalents.html", lines=lines)


@blueprint.post("/dags/<dag_id>/trigger")
@requires("edit")
def trigger(dag_id: str) -> ResponseReturnValue:
    """Create a manual run; a refusal keeps what was typed."""
    typed = dict(request.form)
    date = typed.get("logical_date", "").strip()
    try:
        conf = _conf(dag_id, typed)
        run = trigger_verb.trigger_dag(
            acting_services(),
            dag_id,
            conf=conf,
            run_id=typed.get("run_id", "").strip() or None,
            logical_date=parse_instant(date) if date else None,
            note=typed.get("note", "").strip() or None,
            triggered_by="ui",
        )
    except TradewindError as error:
        return _page(dag_id, typed, str(error)), 400
    if typed.get("unpause") == "1":
        set_paused(acting_services(), [services().store.dags.get(dag_id)], is_paused=False)
    return redirect(url_for("runs.show", dag_id=dag_id, run_id=run.run_id))
