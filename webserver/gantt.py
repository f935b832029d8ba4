"""When each task of a run waited and ran, as shares of the run's time. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING

from .grid import worst
from .time_axis import Axis

if TYPE_CHECKING:
    from ..database.history import InstanceTimes, Lap

LANES_PER_PAGE = 500
#: A lane with more bars than this shows where any of them ran, not each.
BARS_PER_LANE_MAX = 24
#: Bars closer than this become one where a lane is merged, percent.
GAP_PERCENT = 0.1
BAR_WIDTH_MIN = 0.15
#: Room that the text beside a bar needs, percent of the axis.
LABEL_PERCENT = 14.0


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
    """One task, or a folded group: all its instances together, ``instances`` of them.

    ``label``: where the text stands: (percent, "after", "before" or "inside"), None: nowhere.
    """

    id: str
    is_group: bool
    state: str
    instances: int
    bars: Sequence[Bar]
    length_s: float
    is_critical: bool
    label: tuple[float, str] | None = None
    #: Shortest, median and longest of several, seconds.
    spread_s: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class LaneSource:
    """What a lane is made of: lanes are sorted before those of one page are made."""

    id: str
    is_group: bool
    is_critical: bool
    instances: Sequence[InstanceTimes]
    laps: Sequence[Lap]

    @property
    def started_at(self) -> datetime | None:
        """When the first instance started."""
        if len(self.instances) == 1:
            return self.instances[0].started_at
        begun = [one.started_at for one in self.instances if one.started_at is not None]
        return min(begun, default=None)

    @property
    def state(self) -> str:
        """The state that stands for all instances."""
        if len(self.instances) == 1:
            return str(self.instances[0].state)
        return worst(Counter(one.state for one in self.instances)) or "none"

    def lengths_s(self, now: datetime) -> list[float]:
        """Return the lengths of the newest tries."""
        newest = self.newest_tries()
        return [
            ((lap.ended_at or now) - (lap.started_at or lap.claimed_at)).total_seconds()
            for lap in self.laps
            if lap.try_number >= newest.get((lap.task_id, lap.map_index), 0)
        ]

    def newest_tries(self) -> dict[tuple[str, int], int]:
        """Return (task, map index) → number of its newest try."""
        return {(one.task_id, one.map_index): one.try_number for one in self.instances}


@dataclass(frozen=True, slots=True)
class Chart:
    """The lanes of a run, and the axis that they stand on. ``whole``: all of the run's time."""

    sources: Sequence[LaneSource]
    axis: Axis
    whole: Axis
    now: datetime

    def draw(self, sources: Sequence[LaneSource]) -> list[Lane]:
        """Return the lanes of one page."""
        return [_lane(source, self.axis, self.now) for source in sources]


def make_chart(
    instances: Sequence[InstanceTimes],
    laps: Sequence[Lap],
    upstream_ids: Mapping[str, Sequence[str]],
    now: datetime,
    *,
    group_of: Mapping[str, str] | None = None,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
) -> Chart | None:
    """Return the chart; None: nothing has started.

    Args:
        upstream_ids: task → direct upstreams, for the critical path.
        now: where bars of running tries end.
        group_of: task → the folded group that stands for it.
        from_at: *to_at*: only this part of the run's time.
    """
    starts = [lap.started_at or lap.claimed_at for lap in laps]
    starts += [one.queued_at for one in instances if one.queued_at is not None]
    if not starts:
        return None
    ends = [lap.ended_at or now for lap in laps]
    whole = Axis(min(starts), max([*ends, *starts]))
    begin = max(whole.from_at, from_at) if from_at else whole.from_at
    end = min(whole.to_at, to_at) if to_at else whole.to_at
    axis = Axis(begin, end) if begin < end else whole
    by_task: dict[str, list[InstanceTimes]] = {}
    for one in instances:
        by_task.setdefault(one.task_id, []).append(one)
    critical = critical_path(by_task, upstream_ids)
    members: dict[str, list[InstanceTimes]] = {}
    laps_of: dict[str, list[Lap]] = {}
    groups = group_of or {}
    for one in instances:
        members.setdefault(groups.get(one.task_id, one.task_id), []).append(one)
    for lap in laps:
        laps_of.setdefault(groups.get(lap.task_id, lap.task_id), []).append(lap)
    sources = [
        LaneSource(
            id=id_,
            is_group=id_ not in by_task,
            is_critical=any(row.task_id in critical for row in rows),
            instances=rows,
            laps=laps_of.get(id_, ()),
        )
        for id_, rows in members.items()
    ]
    return Chart(sources, axis, whole, now)


def _lane(source: LaneSource, axis: Axis, now: datetime) -> Lane:
    newest = source.newest_tries()
    bars, lengths = [], []
    for lap in source.laps:
        start, end = lap.started_at or lap.claimed_at, lap.ended_at or now
        length_s = (end - start).total_seconds()
        is_earlier = lap.try_number < newest.get((lap.task_id, lap.map_index), 0)
        if not is_earlier:
            lengths.append(length_s)
        queued_at = lap.queued_at if lap.queued_at and lap.queued_at <= start else start
        if end < axis.from_at or queued_at > axis.to_at:
            continue
        x = axis.percent(start)
        bars.append(
            Bar(
                wait_x=x if is_earlier else axis.percent(queued_at),
                x=x,
                width=max(BAR_WIDTH_MIN, round(axis.percent(end) - x, 3)),
                state=_bar_state(lap.state),
                is_earlier=is_earlier,
                length_s=length_s,
            )
        )
    if len(bars) > BARS_PER_LANE_MAX:
        bars = _merged(bars)
    return Lane(
        id=source.id,
        is_group=source.is_group,
        state=source.state,
        instances=len(source.instances),
        bars=bars,
        length_s=max(lengths, default=0.0),
        is_critical=source.is_critical,
        label=_label(bars),
        spread_s=(min(lengths), median(lengths), max(lengths)) if len(lengths) > 1 else None,
    )


def _merged(bars: Sequence[Bar]) -> list[Bar]:
    """Return what is left when bars of one state that touch or overlap become one."""
    found: list[Bar] = []
    for state in dict.fromkeys(bar.state for bar in bars):
        row: list[Bar] = []
        for bar in sorted((one for one in bars if one.state == state), key=lambda one: one.x):
            if row and bar.x <= row[-1].end + GAP_PERCENT:
                last = row[-1]
                width = round(max(last.end, bar.end) - last.x, 3)
                length_s = max(last.length_s, bar.length_s)
                row[-1] = Bar(last.wait_x, last.x, width, state, bar.is_earlier, length_s)
            else:
                row.append(bar)
        found += row
    return sorted(found, key=lambda one: one.x)


def _label(bars: Sequence[Bar]) -> tuple[float, str] | None:
    """Return where the length fits: behind all bars, before them, else on the longest."""
    if not bars:
        return None
    first = bars[0]
    start, end = min(first.wait_x, first.x), first.end
    for bar in bars[1:]:
        start, end = min(start, bar.wait_x, bar.x), max(end, bar.end)
    if end <= 100 - LABEL_PERCENT:
        return end, "after"
    if start >= LABEL_PERCENT:
        return start, "before"
    longest = max(bars, key=lambda bar: bar.width)
    if longest.width >= LABEL_PERCENT and not longest.is_earlier:
        return longest.end, "inside"
    return None


def critical_path(
    by_task: Mapping[str, Sequence[InstanceTimes]], upstream_ids: Mapping[str, Sequence[str]]
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
