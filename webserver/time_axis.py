"""An axis of time: where an instant stands, and ticks at instants that people read well. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property

TICKS_MAX = 9
#: On a phone every third label is shown.
NARROW_EVERY = 3
#: Lengths between ticks, seconds.
STEPS_S = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600,
    43200, 86400, 172800, 604800, 1209600, 2592000,
)  # fmt: skip
#: A label that begins here would stick out to the right.
LABEL_PERCENT_MAX = 91.0


@dataclass(frozen=True, slots=True)
class Tick:
    """A line with a label. ``percent`` of the axis; a phone shows only those that are not wide."""

    percent: float
    label: str
    is_wide_only: bool


@dataclass(frozen=True)
class Axis:
    """A length of time, drawn from left to right."""

    from_at: datetime
    to_at: datetime

    @cached_property
    def length_s(self) -> float:
        """Its length, never nothing."""
        return max((self.to_at - self.from_at).total_seconds(), 0.001)

    def percent(self, at: datetime) -> float:
        """Return where an instant stands, 0 to 100; what is outside stands at the edge."""
        share = 100 * (at - self.from_at).total_seconds() / self.length_s
        return round(min(100.0, max(0.0, share)), 3)

    def ticks(self, zone: tzinfo = UTC) -> Sequence[Tick]:
        """Return ticks at whole steps of the reader's clock."""
        step_s = next((one for one in STEPS_S if self.length_s / one <= TICKS_MAX), STEPS_S[-1])
        local = self.from_at.astimezone(zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        since_s = (local - midnight).total_seconds()
        first = local + timedelta(seconds=(-since_s) % step_s)
        ticks: list[Tick] = []
        at = first
        while at <= self.to_at:
            percent = self.percent(at)
            if percent <= LABEL_PERCENT_MAX:
                is_wide_only = len(ticks) % NARROW_EVERY != 0
                ticks.append(Tick(percent, _label(at, step_s), is_wide_only))
            at += timedelta(seconds=step_s)
        return ticks


def _label(at: datetime, step_s: float) -> str:
    if step_s >= 86400:
        return at.strftime("%b %d")
    if at.hour == at.minute == at.second == 0 and step_s >= 600:
        return at.strftime("%b %d")
    if step_s >= 60:
        return at.strftime("%H:%M")
    if step_s >= 1:
        return at.strftime("%H:%M:%S")
    return at.strftime("%H:%M:%S.%f")[:-5]
