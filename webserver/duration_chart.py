"""How long runs, or one task of them, took: bars over the newest runs, and a median line. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from .durations import duration_text

HEIGHT = 180.0
#: Lengths at which lines across are drawn, seconds.
STEPS_S = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600,
    43200, 86400, 172800, 604800,
)  # fmt: skip
LINES_MAX = 5


@dataclass(frozen=True, slots=True)
class Length:
    """One bar: what waited, then what ran. ``landing_s``: from when its data was complete."""

    run_id: str
    at: datetime
    state: str
    waited_s: float
    ran_s: float
    landing_s: float | None = None
    tries: int = 1
    instances: int = 1


@dataclass(frozen=True, slots=True)
class DurationBar:
    """A drawn bar; x and width are percent, heights and y are pixels."""

    length: Length
    x: float
    width: float
    ran_y: float
    ran_height: float
    waited_y: float
    waited_height: float


@dataclass(frozen=True, slots=True)
class DurationChart:
    """Bars oldest first, lines across as (y, label), and what stands for all of them."""

    bars: Sequence[DurationBar]
    lines: Sequence[tuple[float, str]]
    median_s: float
    p95_s: float
    median_y: float


def make_duration_chart(lengths: Sequence[Length]) -> DurationChart | None:
    """Return the chart of *lengths*, oldest first; None: there is nothing to draw.

    Median and 95th percentile are those of what succeeded, or of all where nothing did.
    """
    if not lengths:
        return None
    top = max([0.1, *(one.waited_s + one.ran_s for one in lengths)])
    good = sorted(one.ran_s for one in lengths if one.state == "success")
    good = good or sorted(one.ran_s for one in lengths)
    middle, late = median(good), good[min(len(good) - 1, int(len(good) * 0.95))]

    def y(seconds: float) -> float:
        return round(HEIGHT * (1 - seconds / top), 1)

    step = 100 / max(len(lengths), 10)
    bars = [
        DurationBar(
            length=one,
            x=round(n * step + step * 0.1, 3),
            width=round(step * 0.8, 3),
            ran_y=y(one.ran_s),
            ran_height=max(1.0, round(HEIGHT - y(one.ran_s), 1)),
            waited_y=y(one.ran_s + one.waited_s),
            waited_height=round(y(one.ran_s) - y(one.ran_s + one.waited_s), 1),
        )
        for n, one in enumerate(lengths)
    ]
    line_step = next((one for one in STEPS_S if top / one <= LINES_MAX), top / LINES_MAX)
    lines = [
        (y(n * line_step), duration_text(n * line_step)) for n in range(1, int(top / line_step) + 1)
    ]
    return DurationChart(bars, lines, middle, late, y(middle))
