"""When each task of a run waited and ran, as shares of the run's time. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .grid import worst

if TYPE_CHECKING:
    from ..database.history import Lap
    from ..database.values import TaskInstanceRow

LANES_PER_PAGE = 500
TICKS = 6
#: Lengths between ticks that people read well, seconds.
TICK_LENGTHS_S = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600,
    43200, 86400, 172800, 604800,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bar:
    """One try. Numbers are percent of the axis; ``wait_x`` to ``x`` it was queued."""

    wait_x: float
    x: float
    width: float
    state: str
    is_earlier: bool
    length_s: float

    @property
    def end(self) -> float:
        """Where it ends, percent of the axis."""
        return round(self.x + self.width, 3)


@dataclass(frozen=True, slots=True)
class Lane:
    """One task: all its mapped instances together, ``instances`` of them."""

    task_id: str
    state: str
    instances: int
    bars: Sequence[Bar]
    started_at: datetime | None
    length_s: float
    is_critical: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """The lanes of a run, the instants at the ticks (percent, instant), and the axis' ends."""

    lanes: Sequence[Lane]
    ticks: Sequence[tuple[float, datetime]]
    from_at: datetime
    to_at: datetime


def make_chart(
    instances: Sequence[TaskInstanceRow],
    laps: Sequence[Lap],
    upstream_ids: Mapping[str, Sequence[str]],
    now: datetime,
) -> Chart | None:
    """Return the chart; None: nothing has started.

    Args:
        upstream_ids: task → direct upstreams, for the critical path.
        now: where bars of running tries end.
    """
    starts = [at for lap in laps for at in (lap.started_at or lap.claimed_at,)]
    starts += [one.queued_at for one in instances if one.queued_at is not None]
    if not starts:
        return None
    ends = [lap.ended_at or now for lap in laps]
    from_at, to_at = min(starts), max([*ends, *starts])
    span_s = max((to_at - from_at).total_seconds(), 0.001)

    def percent(at: datetime) -> float:
        return round(100 * (at - from_at).total_seconds() / span_s, 3)

    by_task: dict[str, list[TaskInstanceRow]] = {}
    for one in instances:
        by_task.setdefault(one.task_id, []).append(one)
    by_lap: dict[str, list[Lap]] = {}
    for lap in laps:
        by_lap.setdefault(lap.task_id, []).append(lap)
    critical = critical_path(by_task, upstream_ids)
    lanes = []
    for task_id, rows in by_task.items():
        bars = []
        newest = {(row.map_index): row.try_number for row in rows}
        for lap in by_lap.get(task_id, ()):
            start, end = lap.started_at or lap.claimed_at, lap.ended_at or now
            is_earlier = lap.try_number < newest.get(lap.map_index, 0)
            queued_at = lap.queued_at if lap.queued_at and lap.queued_at <= start else start
            bars.append(
                Bar(
                    wait_x=percent(start if is_earlier else max(queued_at, from_at)),
                    x=percent(start),
                    width=max(0.15, round(percent(end) - percent(start), 3)),
                    state=_bar_state(lap.state),
                    is_earlier=is_earlier,
                    length_s=(end - start).total_seconds(),
                )
            )
        begun = [row.started_at for row in rows if row.started_at is not None]
        counts: dict[str, int] = {}
        for row in rows:
            counts[row.state.value] = counts.get(row.state.value, 0) + 1
        lanes.append(
            Lane(
                task_id=task_id,
                state=worst(counts) or "none",
                instances=len(rows),
                bars=bars,
                started_at=min(begun, default=None),
                length_s=max((bar.length_s for bar in bars), default=0.0),
                is_critical=task_id in critical,
            )
        )
    return Chart(lanes, _ticks(from_at, span_s), from_at, to_at)


def critical_path(
    by_task: Mapping[str, Sequence[TaskInstanceRow]], upstream_ids: Mapping[str, Sequence[str]]
) -> set[str]:
    """Return the tasks that the run's length is made of: from the last end back by latest ends."""
    ends = {
        task_id: max(row.ended_at for row in rows if row.ended_at is not None)
        for task_id, rows in by_task.items()
        if any(row.ended_at is not None and row.started_at is not None for row in rows)
    }
    found: set[str] = set()
    task_id = max(ends, key=lambda id_: (ends[id_], id_), default=None)
    while task_id is not None and task_id not in found:
        found.add(task_id)
        above = [up for up in upstream_ids.get(task_id, ()) if up in ends]
        task_id = max(above, key=lambda id_: (ends[id_], id_), default=None)
    return found


def _bar_state(attempt_state: str) -> str:
    return {
        "claimed": "running",
        "returned": "scheduled",
        "lost": "failed",
        "fenced": "removed",
    }.get(attempt_state, attempt_state)


def _ticks(from_at: datetime, span_s: float) -> list[tuple[float, datetime]]:
    step_s = next((one for one in TICK_LENGTHS_S if span_s / one <= TICKS), span_s / TICKS)
    count = int(span_s / step_s) + 1
    return [
        (round(100 * n * step_s / span_s, 3), from_at + timedelta(seconds=n * step_s))
        for n in range(count)
        if 100 * n * step_s / span_s < 95
    ]
