"""Timetables that start a run at each tick. The run covers *interval* before it, mostly nothing.

Source: ``spec/semantics.md`` section 4.3.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from .. import timezone as _timezone
from .base import DagRunInfo, DataInterval, TimeRestriction, Timetable, plain, plain_restriction
from .cron_ticks import CronTicks
from .lengths import Length, check_length, dump_length, load_length

_NOTHING = timedelta(0)


class _TriggerTimetable(Timetable):
    """What all share: the run time is the tick, and the restriction bounds the run time."""

    _interval: Length

    @abstractmethod
    def _next_tick(
        self, last: datetime | None, earliest: datetime | None, *, catchup: bool
    ) -> datetime | None:
        """Return the tick to run at, where the last run was at *last*."""

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """Return the stretch of the interval's length that ends at *run_after*."""
        at = plain(run_after)
        return DataInterval(at - self._interval, at)

    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,
        restriction: TimeRestriction,
    ) -> DagRunInfo | None:
        """Return the run at the next tick, or None."""
        earliest, latest, catchup = plain_restriction(restriction)
        last = None
        if last_automated_data_interval is not None:
            last = plain(last_automated_data_interval.end)
        tick = self._next_tick(last, earliest, catchup=catchup)
        if tick is None or (latest is not None and tick > latest):
            return None
        return DagRunInfo.interval(tick - self._interval, tick)


class CronTriggerTimetable(_TriggerTimetable):
    """Runs at each tick of a cron expression."""

    kind = "cron_trigger"

    def __init__(
        self,
        cron: str,
        *,
        timezone: str | int | tzinfo = "UTC",
        interval: Length = _NOTHING,
        run_immediately: bool | timedelta = False,
    ) -> None:
        """Take a cron expression or preset, and the zone in which it is read.

        Args:
            interval: what each run covers, ending at its tick.
            run_immediately: what the first run is where there is no start date: True the tick
                before now; a timedelta that one if it is no older; False if it is hardly over.
        """
        self._timezone = _timezone.zone_of(timezone)
        self._ticks = CronTicks(cron, self._timezone)
        self._expression = self._ticks.expression
        self._interval = interval
        self._run_immediately = run_immediately

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
        """Return all that the constructor took."""
        immediately = self._run_immediately
        return {
            "expression": self._expression,
            "timezone": _timezone.timezone_name(self._timezone),
            "interval": dump_length(self._interval),
            "run_immediately": (
                immediately if isinstance(immediately, bool) else immediately.total_seconds()
            ),
        }

    @classmethod
    def deserialize(cls, data: Mapping[str, Any]) -> CronTriggerTimetable:
        """Build it from what ``serialize`` gave."""
        return cls(
            data["expression"],
            timezone=data["timezone"],
            interval=load_length(data["interval"]),
            run_immediately=load_run_immediately(data["run_immediately"]),
        )

    def _next_tick(
        self, last: datetime | None, earliest: datetime | None, *, catchup: bool
    ) -> datetime | None:
        ticks = self._ticks
        if catchup:
            if last is not None:
                return ticks.next(last)
            if earliest is not None:
                return ticks.align_next(earliest)
            return None if self.dialect == "2" else self._first_tick()
        candidates = [ticks.align_previous(_timezone.utcnow())]
        if last is not None:
            candidates.append(ticks.next(last))
        if earliest is not None:
            candidates.append(ticks.align_next(earliest))
        if last is None and earliest is None and self.dialect != "2":
            candidates = [self._first_tick()]
        return max(candidates)

    def _first_tick(self) -> datetime:
        """Return the first tick of a DAG without start date: the one just over, or the next."""
        now = _timezone.utcnow()
        past = self._ticks.align_previous(now)
        if self._run_immediately is True:
            return past
        following = self._ticks.next(past)
        if isinstance(self._run_immediately, timedelta):
            age_max = self._run_immediately
        else:
            age_max = max((following - past) / 10, timedelta(minutes=5))
        return past if now - past <= age_max else following


class DeltaTriggerTimetable(_TriggerTimetable):
    """Runs again after a fixed length of time, counted from the start date."""

    kind = "delta_trigger"

    def __init__(self, delta: Length, *, interval: Length = _NOTHING) -> None:
        """Take the length between runs, and what each of them covers, ending at its tick."""
        self._delta = delta
        self._interval = interval

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
        """Return both lengths."""
        return {"delta": dump_length(self._delta), "interval": dump_length(self._interval)}

    @classmethod
    def deserialize(cls, data: Mapping[str, Any]) -> DeltaTriggerTimetable:
        """Build it from both lengths."""
        return cls(load_length(data["delta"]), interval=load_length(data["interval"]))

    def _next_tick(
        self, last: datetime | None, earliest: datetime | None, *, catchup: bool
    ) -> datetime | None:
        if catchup:
            if last is not None:
                return last + self._delta
            if earliest is None and self.dialect != "2":
                return _timezone.utcnow()
            return earliest
        # Any instant is a tick of a bare length, so the newest one is "now".
        candidates = [_timezone.utcnow()]
        if last is not None:
            candidates.append(last + self._delta)
        if earliest is not None:
            candidates.append(earliest)
        return max(candidates)


class MultipleCronTriggerTimetable(Timetable):
    """Runs at each tick of any of several cron expressions."""

    kind = "multiple_cron_trigger"

    def __init__(
        self,
        *crons: str,
        timezone: str | int | tzinfo = "UTC",
        interval: Length = _NOTHING,
        run_immediately: bool | timedelta = False,
    ) -> None:
        """Take the expressions; the rest is as ``CronTriggerTimetable`` has it.

        Raises:
            ValueError: there is no expression.
        """
        if not crons:
            raise ValueError("cron expression required")
        self._parts = [
            CronTriggerTimetable(
                cron, timezone=timezone, interval=interval, run_immediately=run_immediately
            )
            for cron in crons
        ]

    @property
    def summary(self) -> str:
        """The cron expressions."""
        return ", ".join(part.summary for part in self._parts)

    def validate(self) -> None:
        """Check each expression.

        Raises:
            AirflowTimetableInvalid: one is no cron expression.
        """
        for part in self._parts:
            part.validate()

    def serialize(self) -> dict[str, Any]:
        """Return all that the constructor took."""
        data = self._parts[0].serialize()
        del data["expression"]
        return {"expressions": [part.summary for part in self._parts], **data}

    @classmethod
    def deserialize(cls, data: Mapping[str, Any]) -> MultipleCronTriggerTimetable:
        """Build it from what ``serialize`` gave."""
        return cls(
            *data["expressions"],
            timezone=data["timezone"],
            interval=load_length(data["interval"]),
            run_immediately=load_run_immediately(data["run_immediately"]),
        )

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """Return the interval that starts first among those of the expressions."""
        return min(
            (part.infer_manual_data_interval(run_after=run_after) for part in self._parts),
            key=lambda interval: interval.start,
        )

    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,
        restriction: TimeRestriction,
    ) -> DagRunInfo | None:
        """Return the earliest run of all with catchup; without, the newest that is due."""
        for part in self._parts:
            part.dialect = self.dialect
        infos = [
            info
            for part in self._parts
            if (
                info := part.next_dagrun_info(
                    last_automated_data_interval=last_automated_data_interval,
                    restriction=restriction,
                )
            )
        ]
        if not infos:
            return None
        now = _timezone.utcnow()
        due = [info for info in infos if info.run_after <= now]
        if due and not restriction.catchup:
            return max(due, key=_run_after)
        return min(infos, key=_run_after)


def load_run_immediately(data: bool | float) -> bool | timedelta:
    """Read back how ``run_immediately`` was serialized: True, False, or seconds."""
    return data if isinstance(data, bool) else timedelta(seconds=data)


def _run_after(info: DagRunInfo) -> datetime:
    return info.run_after
