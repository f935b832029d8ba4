"""The form that triggers a run, made of the DAG's params."""

from __future__ import annotations

import json

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control import trigger as trigger_verb
from ..control.input import parse_instant, parse_json_object
from ..sdk.errors import TradewindError
from .auth import requires
from .params_form import PREFIX, make_fields, read_conf
from .services import acting_services, services

blueprint = Blueprint("triggering", __name__)


@blueprint.get("/dags/<dag_id>/trigger")
@requires("edit")
def form(dag_id: str) -> ResponseReturnValue:
    """Ask for params, dates and a note."""
    params = services().store.dags.serialized(dag_id).params
    defaults = {param.name: param.default for param in params if param.has_default}
    return _page(dag_id, {"conf": json.dumps(defaults, indent=2)}, None)


def _page(dag_id: str, typed: dict[str, str], error: str | None) -> str:
    params = services().store.dags.serialized(dag_id).params
    return render_template(
        "trigger.html",
        dag=services().store.dags.get(dag_id),
        fields=make_fields(params, typed if error else None),
        typed=typed,
        error=error,
    )


@blueprint.post("/dags/<dag_id>/trigger")
@requires("edit")
def trigger(dag_id: str) -> ResponseReturnValue:
    """Create a manual run; a refusal keeps what was typed."""
    typed = dict(request.form)
    params = services().store.dags.serialized(dag_id).params
    has_fields = any(name.startswith(PREFIX) for name in typed) and typed.get("as_json") != "1"
    date = typed.get("logical_date", "").strip()
    try:
        if has_fields:
            conf = read_conf(params, typed) or None
        else:
            conf = parse_json_object(typed.get("conf", "").strip(), "The configuration")
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
    return redirect(url_for("runs.show", dag_id=dag_id, run_id=run.run_id))
