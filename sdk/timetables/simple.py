"""Timetables without a rhythm: never, once, and without a break.

Source: ``spec/semantics.md`` section 4.3.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from .. import timezone as _timezone
from .base import DagRunInfo, DataInterval, TimeRestriction, Timetable, plain, plain_restriction

_SHORTEST = timedelta(microseconds=1)


class _UncoveredTimetable(Timetable):
    """What all share: a manual run covers no length of time."""

    periodic = False

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """Return the interval without length at *run_after*."""
        return DataInterval.exact(plain(run_after))


class NullTimetable(_UncoveredTimetable):
    """No run ever, except those that people start. ``schedule=None``."""

    kind = "null"
    can_be_scheduled = False
    description = "Never, external triggers only"

    @property
    def summary(self) -> str:
        """``None``, as the schedule was written."""
        return "None"

    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,
        restriction: TimeRestriction,
    ) -> DagRunInfo | None:
        """Return None."""
        return None


class OnceTimetable(_UncoveredTimetable):
    """One run at the start date. ``schedule="@once"``."""

    kind = "once"
    description = "Once, as soon as possible"

    @property
    def summary(self) -> str:
        """``@once``, as the schedule was written."""
        return "@once"

    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,
        restriction: TimeRestriction,
    ) -> DagRunInfo | None:
        """Return the one run, if there was none yet.

        Without a start date it is due at once; Airflow 2 never runs such a DAG.
        """
        if last_automated_data_interval is not None:
            return None
        earliest, latest, _ = plain_restriction(restriction)
        if earliest is None:
            if self.dialect == "2":
                return None
            earliest = _timezone.utcnow()
        if latest is not None and earliest > latest:
            return None
        return DagRunInfo.exact(earliest)


class ContinuousTimetable(_UncoveredTimetable):
    """A run as soon as the one before it is over. ``schedule="@continuous"``."""

    kind = "continuous"
    active_runs_limit = 1
    description = "As frequently as possible, but only one run at a time"

    @property
    def summary(self) -> str:
        """``@continuous``, as the schedule was written."""
        return "@continuous"

    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,
        restriction: TimeRestriction,
    ) -> DagRunInfo | None:
        """Return the run from the end of the last one (first: the start date) until now."""
        earliest, latest, _ = plain_restriction(restriction)
        now = _timezone.utcnow()
        if last_automated_data_interval is not None:
            last = last_automated_data_interval
            # A run without length (its start date was yet to come) must not be planned again.
            start = max(plain(last.end), plain(last.start) + _SHORTEST)
        elif earliest is not None:
            start = earliest
        elif self.dialect == "2":
            return None
        else:
            start = now
        # The last run may end in the future where the start date was: wait for it.
        end = max(start, now)
        if latest is not None and end > latest:
            return None
        return DagRunInfo.interval(start, end)
