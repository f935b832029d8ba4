"""Timetables whose runs cover the time between two ticks and start at its end.

Source: ``spec/semantics.md`` section 4.3.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from dateutil.relativedelta import relativedelta

from .. import timezone as _timezone
from .base import DagRunInfo, DataInterval, TimeRestriction, Timetable, plain, plain_restriction
from .cron_ticks import CronTicks
from .lengths import Length, as_timedelta, check_length, dump_length, load_length

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _DataIntervalTimetable(Timetable):
    """What both share: data intervals that follow each other without a gap."""

    @abstractmethod
    def _next(self, instant: datetime) -> datetime: ...

    @abstractmethod
    def _previous(self, instant: datetime) -> datetime: ...

    @abstractmethod
    def _align_next(self, instant: datetime) -> datetime: ...

    @abstractmethod
    def _align_previous(self, instant: datetime) -> datetime: ...

    @abstractmethod
    def _start_of_newest(self, now: datetime, earliest: datetime | None) -> datetime:
        """Return the start of the newest interval that has ended by *now*."""

    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,
        restriction: TimeRestriction,
    ) -> DagRunInfo | None:
        """Return the run over the interval after the last one, or the first, or None."""
        earliest, latest, catchup = plain_restriction(restriction)
        if earliest is not None:
            earliest = self._align_next(earliest)
        if not catchup:
            newest = self._start_of_newest(_timezone.utcnow(), earliest)
            earliest = newest if earliest is None else max(newest, earliest)
        if last_automated_data_interval is None:
            if earliest is None:
                return None
            start = earliest
        else:
            start = self._align_previous(plain(last_automated_data_interval.end))
            if earliest is not None:
                start = max(start, earliest)
            last_start = plain(last_automated_data_interval.start)
            if start <= last_start:  # a shorter schedule since: never plan the same start twice
                start = self._next(last_start)
        if latest is not None and start > latest:
            return None
        return DagRunInfo.interval(start, self._next(start))


class CronDataIntervalTimetable(_DataIntervalTimetable):
    """Runs at each tick of a cron expression, over the time since the tick before."""

    kind = "cron_interval"

    def __init__(self, cron: str, timezone: str | int | tzinfo = "UTC") -> None:
        """Take a cron expression or preset, and the zone in which it is read."""
        self._timezone = _timezone.zone_of(timezone)
        self._ticks = CronTicks(cron, self._timezone)
        self._expression = self._ticks.expression

    @property
    def summary(self) -> str:
        """The cron expression."""
        return self._expression

    def validate(self) -> None:
        """Check the cron expression.

        Raises:
            AirflowTimetableInvalid: it is none.
        """
        self._ticks.validate()

    def serialize(self) -> dict[str, Any]:
        """Return expression and zone."""
        return {
            "expression": self._expression,
            "timezone": _timezone.timezone_name(self._timezone),
        }

    @classmethod
    def deserialize(cls, data: Mapping[str, Any]) -> CronDataIntervalTimetable:
        """Build it from expression and zone."""
        return cls(data["expression"], timezone=data["timezone"])

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """Return the newest interval that has ended by *run_after*."""
        end = self._ticks.align_previous(plain(run_after))
        return DataInterval(self._ticks.previous(end), end)

    def _next(self, instant: datetime) -> datetime:
        return self._ticks.next(instant)

    def _previous(self, instant: datetime) -> datetime:
        return self._ticks.previous(instant)

    def _align_next(self, instant: datetime) -> datetime:
        return self._ticks.align_next(instant)

    def _align_previous(self, instant: datetime) -> datetime:
        return self._ticks.align_previous(instant)

    def _start_of_newest(self, now: datetime, earliest: datetime | None) -> datetime:
        return self._ticks.previous(self._ticks.align_previous(plain(now)))


class DeltaDataIntervalTimetable(_DataIntervalTimetable):
    """Runs after each stretch of a fixed length, beginning at the start date."""

    kind = "delta_interval"

    def __init__(self, delta: Length) -> None:
        """Take the length of each interval: a timedelta or a relativedelta."""
        self._delta = delta

    @property
    def summary(self) -> str:
        """The length."""
        return str(self._delta)

    def validate(self) -> None:
        """Check the length.

        Raises:
            AirflowTimetableInvalid: it does not move time forward.
        """
        check_length(self._delta, _timezone.utcnow())

    def serialize(self) -> dict[str, Any]:
        """Return the length."""
        return {"delta": dump_length(self._delta)}

    @classmethod
    def deserialize(cls, data: Mapping[str, Any]) -> DeltaDataIntervalTimetable:
        """Build it from the length."""
        return cls(load_length(data["delta"]))

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """Return the stretch of one length that ends at *run_after*."""
        end = plain(run_after)
        return DataInterval(self._previous(end), end)

    def _next(self, instant: datetime) -> datetime:
        return instant + self._delta

    def _previous(self, instant: datetime) -> datetime:
        return instant - self._delta

    def _align_next(self, instant: datetime) -> datetime:
        return instant

    def _align_previous(self, instant: datetime) -> datetime:
        return instant

    def _start_of_newest(self, now: datetime, earliest: datetime | None) -> datetime:
        """Count whole lengths from the epoch: restarts at other times give the same intervals."""
        length = as_timedelta(self._delta)
        if length is not None:
            return now - (now - _EPOCH) % length - length
        # Months and years have no length of their own, so they are counted from the start date.
        return self._previous(_last_step(earliest or _EPOCH, self._delta, now))


def _last_step(anchor: datetime, delta: timedelta | relativedelta, now: datetime) -> datetime:
    """Return the last ``anchor + n * delta`` that is not after *now* (n may be negative).

    Multiples are taken from the anchor, so that 31 January + 2 months is 31 March.
    """
    step_s = ((anchor + delta) - anchor).total_seconds()
    count = int((now - anchor).total_seconds() // step_s)
    while anchor + delta * count > now:
        count -= 1
    while anchor + delta * (count + 1) <= now:
        count += 1
    return anchor + delta * count
