"""When a run is late, by the alerts of its DAG (semantics section 10.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..sdk.serialized import SerializedDeadline


@dataclass(frozen=True, slots=True)
class RunTimes:
    """What a deadline may count from.

    ``durations_s``: of the newest successful runs, newest first.
    """

    logical_date: datetime | None
    queued_at: datetime
    now: datetime
    durations_s: Sequence[float] = ()


def deadline_at(deadline: SerializedDeadline, times: RunTimes) -> datetime | None:
    """Return the instant by which the run is to have ended, None: it has no such deadline."""
    base = _base(deadline, times)
    try:
        return None if base is None else base + timedelta(seconds=deadline.interval_s)
    except OverflowError:
        return None


def _base(deadline: SerializedDeadline, times: RunTimes) -> datetime | None:
    if deadline.kind == "logical_date":
        return times.logical_date
    if deadline.kind == "queued_at":
        return times.queued_at
    if deadline.kind == "fixed":
        return deadline.at
    durations = times.durations_s[: deadline.max_runs]
    if len(durations) < max(1, deadline.min_runs):
        return None
    return times.now + timedelta(seconds=sum(durations) / len(durations))
