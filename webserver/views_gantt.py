"""When each task of a run waited and ran."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ..control.input import InvalidInput, parse_instant
from .addresses import task_instances_of
from .auth import requires
from .gantt import LANES_PER_PAGE, LaneSource, make_chart
from .gantt_svg import lanes_markup
from .paging import page_of
from .preferences import zone
from .services import services
from .views_runs import run_head

if TYPE_CHECKING:
    from ..sdk.serialized import SerializedDag

blueprint = Blueprint("gantts", __name__)

#: No run has more task instances on one chart.
INSTANCES_MAX = 20_000
ORDERS = {"start": "start time", "duration": "duration", "name": "name"}


@blueprint.get("/dags/<dag_id>/runs/<run_id>/gantt")
@requires("read")
def show(dag_id: str, run_id: str) -> ResponseReturnValue:
    """Show when each task waited and ran; ``from`` and ``to`` show only a part of the time."""
    head = run_head(dag_id, run_id, "gantt")
    store, run = services().store, head["run"]
    version = store.dags.structured(run.version_id)
    instances = store.history.instance_times(run.id, INSTANCES_MAX)
    folded = {one for one in request.args.get("folded", "").split(",") if one}
    from_at, to_at = _instant("from"), _instant("to")
    chart = make_chart(
        instances,
        store.history.laps(run.id, INSTANCES_MAX),
        version.structure.upstream_ids,
        services().now(),
        group_of=folded_groups(version.dag, folded),
        from_at=from_at,
        to_at=to_at,
    )
    order = request.args.get("order", "")
    order = order if order in ORDERS else "start"
    sources = _ordered(chart.sources if chart else (), order, services().now())
    kept = {
        "order": order if order != "start" else None,
        "folded": ",".join(sorted(folded)) or None,
        "from": request.args.get("from") if from_at else None,
        "to": request.args.get("to") if to_at else None,
    }
    place: dict[str, Any] = {"dag_id": dag_id, "run_id": run_id}
    page = page_of(
        len(sources),
        lambda limit, offset: sources[offset : offset + limit],
        LANES_PER_PAGE,
        {**place, **kept},
    )

    def gantt_url(toggle: str = "", **changed: Any) -> str:
        if toggle:
            changed["folded"] = ",".join(sorted(folded ^ {toggle})) or None
        return url_for("gantts.show", **place, **{**kept, **changed})

    return render_template(
        "run_gantt.html",
        chart=chart,
        ticks=chart.axis.ticks(zone()) if chart else (),
        page=page,
        order=order,
        orders=ORDERS,
        total=len(instances),
        groups=[group.group_id for group in version.dag.groups],
        folded=folded,
        is_zoomed=bool(from_at or to_at),
        gantt_url=gantt_url,
        lanes=lanes_markup(
            chart.draw(page.rows) if chart else (),
            task_instances_of(dag_id, run_id),
            lambda id_: gantt_url(toggle=id_),
        ),
        **head,
    )


def _ordered(sources: Iterable[LaneSource], order: str, now: datetime) -> list[LaneSource]:
    if order == "duration":
        return sorted(sources, key=lambda one: -max(one.lengths_s(now), default=0.0))
    if order == "name":
        return sorted(sources, key=lambda one: one.id)
    return sorted(sources, key=lambda one: one.started_at or datetime.max.replace(tzinfo=UTC))


def _instant(name: str) -> datetime | None:
    try:
        return parse_instant(request.args[name]) if request.args.get(name) else None
    except InvalidInput:
        return None


def folded_groups(dag: SerializedDag, folded: set[str]) -> Mapping[str, str]:
    """Return task → the outermost folded group around it; other tasks are left out."""
    parents = {group.group_id: group.parent_id for group in dag.groups}
    found: dict[str, str] = {}
    for task in dag.tasks:
        group_id = task.group_id
        while group_id:
            if group_id in folded:
                found[task.task_id] = group_id
            group_id = parents.get(group_id, "")
    return found
