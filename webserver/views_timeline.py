"""What ran on the machine when, what waits now and for what, and what is going to run."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ..control.forecast import forecast_all
from ..control.input import InvalidInput, parse_instant
from ..control.pause import all_dags
from .auth import requires
from .preferences import in_zone, zone
from .services import services
from .time_axis import Axis
from .timeline_chart import BUCKETS, LOAD_HEIGHT, machine_loads, pool_loads, run_lanes

if TYPE_CHECKING:
    from ..control.forecast import Forecast
    from ..database.values import DagRow
    from ..planning.forecast import ExpectedRun

blueprint = Blueprint("timeline", __name__)

#: How far back and ahead a reader can look, hours.
HOURS = (1, 3, 6, 12, 24, 72, 168)
HOURS_DEFAULT = 12
AHEAD = (0, 1, 3, 6, 12, 24)
AHEAD_DEFAULT = 3
FORECAST_HOURS = (6, 12, 24, 48, 168)
FORECAST_HOURS_DEFAULT = 24
#: Attempts on one chart, runs in one table, lanes on one page.
WORK_MAX = 20_000
LISTED_MAX = 500
LANES_MAX = 200


def _choice(name: str, allowed: tuple[int, ...], default: int) -> int:
    asked = request.args.get(name, default, type=int)
    return asked if asked in allowed else default


def _dags(wanted: str) -> list[DagRow]:
    return [dag for dag in all_dags(services()) if wanted in dag.dag_id.lower()]


@blueprint.get("/timeline")
@requires("read")
def index() -> ResponseReturnValue:
    """Show the runs of all DAGs over time, how full pools and machines were, and what waits."""
    now = services().now()
    hours, ahead = _choice("hours", HOURS, HOURS_DEFAULT), _choice("ahead", AHEAD, AHEAD_DEFAULT)
    end_text = request.args.get("end", "").strip()
    try:
        end = min(parse_instant(end_text), now) if end_text else now
    except InvalidInput:
        end, end_text = now, ""
    ahead = ahead if end == now else 0
    axis = Axis(end - timedelta(hours=hours), end + timedelta(hours=ahead))
    wanted = request.args.get("search", "").strip().lower()
    dags = _dags(wanted)
    shown = {dag.dag_id for dag in dags}
    store = services().store
    work = [
        one for one in store.timeline.work(axis.from_at, end, limit=WORK_MAX) if one.dag_id in shown
    ]
    waiting = [one for one in store.timeline.waiting() if one.dag_id in shown]
    slots = {one.name: one.slots for one in store.pools.list()}
    foreseen = forecast_all(services(), axis.to_at, dags) if ahead else None
    lanes = run_lanes(work, foreseen.runs if foreseen else (), axis, now)
    return render_template(
        "timeline.html",
        **_axis_arguments(axis, now),
        lanes=lanes[:LANES_MAX],
        lanes_left_out=max(0, len(lanes) - LANES_MAX),
        pools=pool_loads(work, waiting if end == now else (), slots, axis, now),
        machines=machine_loads(work, axis, now),
        held=_held(shown),
        is_cut=len(work) >= WORK_MAX,
        choices={"hours": hours, "ahead": ahead, "end": end_text, "search": wanted},
        earlier=axis.from_at.isoformat(timespec="seconds"),
        hours=HOURS,
        aheads=AHEAD,
        live="running" if end == now else None,
    )


def _axis_arguments(axis: Axis, now: datetime) -> dict[str, Any]:
    return {
        "axis": axis,
        "ticks": axis.ticks(zone()),
        "now_percent": axis.percent(now) if axis.from_at <= now <= axis.to_at else None,
        "load_height": LOAD_HEIGHT,
        "buckets": BUCKETS,
    }


def _held(shown: set[str]) -> list[tuple[str, int, Any]]:
    """Return what holds back scheduled task instances: (reason, how many, one of them)."""
    blocked = [
        one for one in services().store.task_instances.blocked() if one.candidate.dag_id in shown
    ]
    counts = Counter(one.reason for one in blocked)
    first = {one.reason: one.candidate for one in reversed(blocked)}
    return [(reason, count, first[reason]) for reason, count in counts.most_common(20)]


@blueprint.get("/forecast")
@requires("read")
def forecast() -> ResponseReturnValue:
    """Show the runs of the next hours, as the planner makes them under a clock that runs ahead."""
    now = services().now()
    hours = _choice("hours", FORECAST_HOURS, FORECAST_HOURS_DEFAULT)
    axis = Axis(now, now + timedelta(hours=hours))
    wanted = request.args.get("search", "").strip().lower()
    foreseen = forecast_all(services(), axis.to_at, _dags(wanted))
    lanes = run_lanes((), foreseen.runs, axis, now)
    return render_template(
        "forecast.html",
        **_axis_arguments(axis, now),
        lanes=lanes[:LANES_MAX],
        lanes_left_out=max(0, len(lanes) - LANES_MAX),
        foreseen=foreseen,
        by_dag=_by_dag(foreseen)[:LISTED_MAX],
        by_hour=_by_hour(foreseen, now, hours),
        choices={"hours": hours, "search": wanted},
        hours=FORECAST_HOURS,
        live=None,
    )


def _by_dag(foreseen: Forecast) -> list[tuple[ExpectedRun, int, int]]:
    """Return each DAG's next run, how many it has, and how many of them have to wait."""
    found: dict[str, list[ExpectedRun]] = {}
    for run in foreseen.runs:
        found.setdefault(run.dag_id, []).append(run)
    return [
        (runs[0], len(runs), sum(1 for run in runs if run.starts_at > run.due_at))
        for runs in found.values()
    ]


def _by_hour(foreseen: Forecast, now: datetime, hours: int) -> list[tuple[str, int, float]]:
    """Return (hour, starts, share of the busiest) of each hour, at most two days of them."""
    first = in_zone(now).replace(minute=0, second=0, microsecond=0)
    counts = Counter(int((run.starts_at - first).total_seconds() // 3600) for run in foreseen.runs)
    most = max(counts.values(), default=1)
    return [
        ((first + timedelta(hours=n)).strftime("%b %d, %H:%M"), counts[n], counts[n] / most)
        for n in range(min(hours, 48) + 1)
    ]
