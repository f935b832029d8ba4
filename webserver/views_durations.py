"""How long a DAG's runs took and when they landed; one task over the newest runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ..database.errors import NotFound
from .auth import requires
from .duration_chart import Length, make_duration_chart
from .heads import dag_head, liveness
from .services import services

if TYPE_CHECKING:
    from ..database.values import RunRow

blueprint = Blueprint("durations", __name__)

RUNS_OFFERED = (30, 90, 180, 365)
RUNS_DEFAULT = 90
LANDING_S_MAX = 7 * 86400


def _runs(dag_id: str) -> tuple[int, list[RunRow]]:
    asked = request.args.get("runs", RUNS_DEFAULT, type=int)
    count = asked if asked in RUNS_OFFERED else RUNS_DEFAULT
    return count, services().store.runs.list(dag_id, limit=count)[::-1]


@blueprint.get("/dags/<dag_id>/durations")
@requires("read")
def of_dag(dag_id: str) -> ResponseReturnValue:
    """Chart the newest runs: how long each waited and ran, and when it landed."""
    head = dag_head(dag_id)
    count, runs = _runs(dag_id)
    with_landing = request.args.get("landing") == "1"
    return render_template(
        "dag_durations.html",
        head=head,
        tab="durations",
        chart=make_duration_chart([_run_length(run, with_landing) for run in runs]),
        with_landing=with_landing,
        count=count,
        offered=RUNS_OFFERED,
        tasks=[task.task_id for task in services().store.dags.serialized(dag_id).tasks],
        live=liveness(runs[-1:]),
    )


def _run_length(run: RunRow, is_landing: bool) -> Length:
    """Return how long a run waited and ran, or how late it landed: what it was to wait for."""
    now = services().now()
    began = run.queued_at or run.created_at
    ended = run.ended_at or (now if run.started_at else None)
    complete_at = run.data_interval_end or run.run_after
    landing_s = (run.ended_at - complete_at).total_seconds() if run.ended_at else None
    # What catches up on a past long gone lands years late: that says nothing.
    if landing_s is not None and not 0 <= landing_s < LANDING_S_MAX:
        landing_s = None
    ran_s = (ended - run.started_at).total_seconds() if run.started_at and ended else 0.0
    waited_s = (run.started_at - began).total_seconds() if run.started_at else 0.0
    return Length(
        run_id=run.run_id,
        at=run.logical_date or run.run_after,
        state=run.state,
        waited_s=0.0 if is_landing else max(0.0, waited_s),
        ran_s=(landing_s or 0.0) if is_landing else max(0.0, ran_s),
        landing_s=landing_s,
    )


@blueprint.get("/dags/<dag_id>/tasks/<task_id>")
@requires("read")
def of_task(dag_id: str, task_id: str) -> ResponseReturnValue:
    """Show one task over the newest runs: lengths, failures, what it is."""
    head = dag_head(dag_id)
    count, runs = _runs(dag_id)
    store = services().store
    task = next(
        (one for one in store.dags.serialized(dag_id).tasks if one.task_id == task_id), None
    )
    spans = store.history.task_spans([run.id for run in runs], task_id)
    if task is None and not spans:
        raise NotFound(f"DAG {dag_id!r} has no task {task_id!r}.")
    now = services().now()
    lengths = [
        Length(
            run_id=run.run_id,
            at=run.logical_date or run.run_after,
            state=span.state,
            waited_s=max(0.0, (span.started_at - span.ready_at).total_seconds())
            if span.ready_at and span.started_at
            else 0.0,
            ran_s=max(0.0, ((span.ended_at or now) - span.started_at).total_seconds())
            if span.started_at
            else 0.0,
            tries=span.tries,
            instances=span.instances,
        )
        for run in runs
        if (span := spans.get(run.id)) is not None
    ]
    return render_template(
        "dag_task.html",
        head=head,
        tab="tasks",
        task=task,
        task_id=task_id,
        chart=make_duration_chart(lengths),
        lengths=lengths[::-1],
        count=count,
        offered=RUNS_OFFERED,
        live=liveness(runs[-1:]),
    )
