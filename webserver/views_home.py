"""The first page: health, what happened in the last day, what needs attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from .auth import requires
from .health import read_health
from .preferences import in_zone
from .services import services

blueprint = Blueprint("home", __name__)

WINDOW = timedelta(hours=24)
LIST_MAX = 10
HOURS_HEIGHT = 84.0
#: From the ground upwards.
STACKED = ("failed", "running", "queued", "success")


@blueprint.get("/")
@requires("read")
def index() -> ResponseReturnValue:
    """Show health, counts of the last 24 hours, failing DAGs, next runs, pools."""
    store, now = services().store, services().now()
    times = store.history.run_times_since(now - WINDOW)
    failing = store.dags.list(run_state="failed", limit=LIST_MAX)
    coming = store.dags.list(is_paused=False, order="next_run_after", limit=500)
    return render_template(
        "home.html",
        parts=read_health(),
        runs=Counter(state for _, state in times),
        hours=by_hour(times, now),
        instances=store.history.instance_states_since(now - WINDOW),
        failing=failing,
        failed_runs=store.dags.last_runs([dag.dag_id for dag in failing], per_dag=1),
        import_errors=store.files.import_errors(),
        questions=store.questions.count_waiting(),
        coming=[dag for dag in coming if dag.next_run_after is not None][:LIST_MAX],
        pools=store.pools.list(),
        live="running" if store.runs.unfinished_ids() else "idle",
    )


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the chart: its word, its runs, and pieces as (state, count, y, height)."""

    word: str
    total: int
    pieces: list[tuple[str, int, float, float]]


def by_hour(times: Iterable[tuple[datetime, str]], now: datetime) -> list[Hour]:
    """Return the last 24 hours, oldest first, as stacked bars: failures stand below."""
    counts: dict[int, Counter[str]] = {}
    for at, state in times:
        counts.setdefault(int((now - at) / timedelta(hours=1)), Counter())[state] += 1
    most = max((count.total() for count in counts.values()), default=1)
    hours = []
    for ago in range(int(WINDOW / timedelta(hours=1)) - 1, -1, -1):
        count, y, pieces = counts.get(ago, Counter[str]()), HOURS_HEIGHT, []
        for state in STACKED:
            if count[state]:
                height = max(1.5, HOURS_HEIGHT * count[state] / most)
                y -= height
                pieces.append((state, count[state], round(y, 1), round(height, 1)))
        word = in_zone(now - timedelta(hours=ago + 1)).strftime("%H:%M")
        hours.append(Hour(word, count.total(), pieces))
    return hours
