"""What ran when on the whole machine: runs by DAG, and how full pools and machines were. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .time_axis import Axis

if TYPE_CHECKING:
    from ..database.timeline import WaitingRow, Work
    from ..planning.forecast import ExpectedRun

#: Runs of one DAG at the same time stand one below the other, up to this many; then they overlap.
SUBLANES_MAX = 4
#: Into how many pieces of time a chart of load is cut.
BUCKETS = 160
LOAD_HEIGHT = 44.0
BAR_WIDTH_MIN = 0.2


@dataclass(frozen=True, slots=True)
class RunBar:
    """One run. Percent of the axis; ``run_id`` empty: it is only expected."""

    x: float
    width: float
    sublane: int
    state: str
    run_id: str
    started_at: datetime
    length_s: float
    tasks: int
    #: From where it waited to start, percent; the same as ``x`` where it did not.
    wait_x: float = 0.0

    @property
    def is_expected(self) -> bool:
        """It has not begun."""
        return not self.run_id


@dataclass(frozen=True, slots=True)
class RunLane:
    """One DAG with its runs."""

    dag_id: str
    bars: Sequence[RunBar]
    sublanes: int


@dataclass(frozen=True, slots=True)
class Load:
    """How full a pool or a machine was. Paths are SVG in a box of ``BUCKETS`` by a height."""

    name: str
    #: What fits, None: no limit is known.
    limit: int | None
    peak: float
    waiting_peak: float
    waited_s: float
    running_path: str
    waiting_path: str
    limit_y: float | None


def run_lanes(
    work: Iterable[Work], expected: Iterable[ExpectedRun], axis: Axis, now: datetime
) -> list[RunLane]:
    """Return one lane a DAG: what has run, as bars over its attempts, and what is to come."""
    spans: dict[tuple[str, str], tuple[datetime, datetime, str, int]] = {}
    for one in work:
        key = (one.dag_id, one.run_id)
        start, end = one.claimed_at, one.ended_at or now
        known = spans.get(key)
        if known is not None:
            start, end = min(start, known[0]), max(end, known[1])
        spans[key] = (start, end, one.run_state, (known[3] if known else 0) + 1)
    found: dict[str, list[tuple[datetime, datetime, RunBar]]] = {}
    for (dag_id, run_id), (start, end, state, tasks) in spans.items():
        shown_end = now if state == "running" else end
        bar = _bar(axis, start, shown_end, state, run_id, tasks, start)
        found.setdefault(dag_id, []).append((start, shown_end, bar))
    for run in expected:
        bar = _bar(axis, run.starts_at, run.ends_at, "none", "", 0, run.due_at)
        found.setdefault(run.dag_id, []).append((run.starts_at, run.ends_at, bar))
    return [_lane(dag_id, bars) for dag_id, bars in sorted(found.items())]


def _bar(
    axis: Axis,
    start: datetime,
    end: datetime,
    state: str,
    run_id: str,
    tasks: int,
    due_at: datetime,
) -> RunBar:
    x = axis.percent(start)
    return RunBar(
        x=x,
        width=max(BAR_WIDTH_MIN, round(axis.percent(end) - x, 3)),
        sublane=0,
        state=state,
        run_id=run_id,
        started_at=start,
        length_s=(end - start).total_seconds(),
        tasks=tasks,
        wait_x=min(x, axis.percent(due_at)),
    )


def _lane(dag_id: str, entries: list[tuple[datetime, datetime, RunBar]]) -> RunLane:
    """Put bars that overlap below one another."""
    free_at: list[datetime] = []
    bars = []
    for start, end, bar in sorted(entries, key=lambda entry: (entry[0], entry[2].run_id)):
        place = next((n for n, at in enumerate(free_at) if at <= start), len(free_at))
        if place < SUBLANES_MAX:
            free_at[place : place + 1] = [end]
        else:
            place = SUBLANES_MAX - 1
            free_at[place] = max(free_at[place], end)
        bars.append(
            RunBar(
                bar.x, bar.width, place, bar.state, bar.run_id, bar.started_at, bar.length_s,
                bar.tasks, bar.wait_x,
            )
        )  # fmt: skip
    return RunLane(dag_id, bars, max(1, len(free_at)))


class _Series:
    """Amounts over time, summed in buckets: whole buckets by differences, edges exactly."""

    def __init__(self, axis: Axis) -> None:
        self.axis = axis
        self.width_s = axis.length_s / BUCKETS
        self.edges = [0.0] * (BUCKETS + 1)
        self.steps = [0.0] * (BUCKETS + 2)

    def add(self, start: datetime, end: datetime, weight: float) -> float:
        """Add an amount from *start* to *end*; return the seconds of it that are on the axis."""
        begin_s = max(0.0, (start - self.axis.from_at).total_seconds())
        stop_s = min(self.axis.length_s, (end - self.axis.from_at).total_seconds())
        if stop_s <= begin_s:
            return 0.0
        first, last = int(begin_s / self.width_s), int(stop_s / self.width_s)
        if first == last:
            self.edges[first] += weight * (stop_s - begin_s) / self.width_s
        else:
            self.edges[first] += weight * (first + 1 - begin_s / self.width_s)
            self.edges[last] += weight * (stop_s / self.width_s - last)
            self.steps[first + 1] += weight
            self.steps[last] -= weight
        return stop_s - begin_s

    def values(self) -> list[float]:
        """Return the average amount in each bucket."""
        total, found = 0.0, []
        for n in range(BUCKETS):
            total += self.steps[n]
            found.append(max(0.0, total + self.edges[n]))
        return found


def pool_loads(
    work: Sequence[Work],
    waiting: Sequence[WaitingRow],
    slots: Mapping[str, int],
    axis: Axis,
    now: datetime,
) -> list[Load]:
    """Return, for each pool in use, the slots that were taken, and those that were waited for."""
    running: dict[str, _Series] = {}
    waited: dict[str, _Series] = {}
    waited_s: dict[str, float] = {}

    def wait(pool: str, start: datetime, end: datetime, weight: int) -> None:
        series = waited.setdefault(pool, _Series(axis))
        waited_s[pool] = waited_s.get(pool, 0.0) + series.add(start, end, weight)

    for one in work:
        if one.state != "deferred":
            series = running.setdefault(one.pool, _Series(axis))
            series.add(one.claimed_at, one.ended_at or now, one.pool_slots)
        if one.ready_at is not None and one.ready_at < one.claimed_at:
            wait(one.pool, one.ready_at, one.claimed_at, one.pool_slots)
    for row in waiting:
        if row.scheduled_at is not None:
            wait(row.pool, row.scheduled_at, now, row.pool_slots)
    names = sorted({*running, *waited})
    return [
        _load(
            name,
            slots.get(name) if slots.get(name, -1) >= 0 else None,
            running.get(name),
            waited.get(name),
            waited_s.get(name, 0.0),
        )
        for name in names
    ]


def machine_loads(work: Sequence[Work], axis: Axis, now: datetime) -> list[Load]:
    """Return, for each machine, how many tasks ran on it."""
    running: dict[str, _Series] = {}
    for one in work:
        series = running.setdefault(one.hostname or "unknown", _Series(axis))
        series.add(one.claimed_at, one.ended_at or now, 1)
    return [_load(name, None, series, None, 0.0) for name, series in sorted(running.items())]


def _load(
    name: str,
    limit: int | None,
    running: _Series | None,
    waited: _Series | None,
    waited_s: float,
) -> Load:
    taken = running.values() if running else [0.0] * BUCKETS
    queue = waited.values() if waited else [0.0] * BUCKETS
    both = [a + b for a, b in zip(taken, queue, strict=True)]
    top = max(
        [1.0, *both, *([float(limit)] if limit and limit <= 4 * max(both, default=0) else [])]
    )
    return Load(
        name=name,
        limit=limit,
        peak=round(max(taken), 1),
        waiting_peak=round(max(queue), 1),
        waited_s=waited_s,
        running_path=_area([0.0] * BUCKETS, taken, top),
        waiting_path=_area(taken, both, top) if any(queue) else "",
        limit_y=_height(limit, top) if limit and limit <= top else None,
    )


def _height(amount: float, top: float) -> float:
    return round(LOAD_HEIGHT * (1 - amount / top), 1)


def _area(lower: Sequence[float], upper: Sequence[float], top: float) -> str:
    """Return the path of what lies between two step lines; equal neighbours are one step."""
    forth = [f"M0 {_height(lower[0], top)}"]
    for n, amount in enumerate(upper):
        if n == 0 or amount != upper[n - 1]:
            forth.append(f"H{n}V{_height(amount, top)}")
    forth.append(f"H{len(upper)}")
    back = [f"V{_height(lower[-1], top)}"]
    for n in range(len(lower) - 1, 0, -1):
        if lower[n] != lower[n - 1]:
            back.append(f"H{n}V{_height(lower[n - 1], top)}")
    return "".join([*forth, *back, "H0Z"])
