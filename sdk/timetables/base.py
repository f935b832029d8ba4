"""What a timetable is asked and what it answers.

A timetable says when the next run is due and which stretch of time it covers. The signatures are
Airflow's, because DAG authors subclass ``Timetable``. The present is not an argument there: ours
read it from ``timezone.utcnow``, which planning holds still while it asks.

Source: Airflow's documentation "Timetables"; ``spec/semantics.md`` section 4.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from .. import timezone as _timezone


class DataInterval(NamedTuple):
    """The half-open stretch ``[start, end)`` that a run covers. Both ends are aware."""

    start: datetime
    end: datetime

    @classmethod
    def exact(cls, at: datetime) -> DataInterval:
        """Return the interval without length at *at*."""
        return cls(start=at, end=at)


class TimeRestriction(NamedTuple):
    """What the DAG allows: the first and last instant of its runs, and whether to catch up.

    ``earliest`` and ``latest`` bound the start of the data interval (trigger timetables: the
    run time); None leaves that side open.
    """

    earliest: datetime | None
    latest: datetime | None
    catchup: bool


class DagRunInfo(NamedTuple):
    """One planned run: from when on it may start, and what it covers (None: no interval)."""

    run_after: datetime
    data_interval: DataInterval | None
    partition_date: datetime | None = None
    partition_key: str | None = None

    @classmethod
    def exact(cls, at: datetime) -> DagRunInfo:
        """Return a run at *at* that covers no length of time."""
        return cls(run_after=at, data_interval=DataInterval.exact(at))

    @classmethod
    def interval(cls, start: datetime, end: datetime) -> DagRunInfo:
        """Return the run that covers ``[start, end)`` and may start at its end."""
        return cls(run_after=end, data_interval=DataInterval(start, end))

    @property
    def logical_date(self) -> datetime | None:
        """The instant that names the run: the start of its data interval."""
        return None if self.data_interval is None else self.data_interval.start


class Timetable:
    """Says when a DAG runs. Base of all timetables, also of those that DAG authors write."""

    #: Name under which ``registry`` finds the class again; empty: a user's own class.
    kind: ClassVar[str] = ""

    description: str = ""
    #: Runs come at some regularity; backfill makes sense for these only.
    periodic: bool = True
    #: The scheduler makes runs by itself.
    can_be_scheduled: bool = True
    #: Most runs that may be active at once, None without such a limit.
    active_runs_limit: int | None = None
    run_ordering: Sequence[str] = ("data_interval_end", "logical_date")
    #: The assets whose events trigger runs; None where time alone does.
    asset_condition: Any = None
    #: Which generation's rule holds where both differ (architecture, section 4).
    dialect: str = "3"

    @property
    def summary(self) -> str:
        """A short text for lists, such as the cron expression."""
        return type(self).__name__

    @classmethod
    def deserialize(cls, data: Mapping[str, Any]) -> Timetable:
        """Build the timetable again from what ``serialize`` gave."""
        return cls()

    def serialize(self) -> dict[str, Any]:
        """Return what is needed to build an equal timetable, as plain JSON values."""
        return {}

    def validate(self) -> None:
        """Check what the constructor was given.

        Raises:
            AirflowTimetableInvalid: runs can not be planned with it.
        """

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """Return what a run covers that a person starts at *run_after*."""
        raise NotImplementedError

    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,
        restriction: TimeRestriction,
    ) -> DagRunInfo | None:
        """Return the run that follows, or None if there is none.

        Args:
            last_automated_data_interval: what the newest scheduled or backfilled run covers;
                None before the first.
        """
        raise NotImplementedError

    def next_dagrun_info_v2(
        self, *, last_dagrun_info: DagRunInfo | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Do as ``next_dagrun_info`` does, told the whole last run (Airflow 3.2)."""
        last = None if last_dagrun_info is None else last_dagrun_info.data_interval
        return self.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)

    def generate_run_id(
        self,
        *,
        run_type: Any,
        run_after: datetime | None = None,
        logical_date: datetime | None = None,
        data_interval: DataInterval | None = None,
        **extra: Any,
    ) -> str:
        """Return the id of a run, from the instant that the caller's generation stamps it with."""
        stamp = logical_date if run_after is None else run_after
        if stamp is None:
            raise ValueError("a run id needs a run_after or a logical_date")
        return f"{getattr(run_type, 'value', run_type)}__{stamp.isoformat()}"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.serialize() == other.serialize()

    def __hash__(self) -> int:
        return hash((type(self), repr(self.serialize())))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.summary}>"


def plain(instant: datetime) -> datetime:
    """Return *instant* as the standard class in UTC: all arithmetic here is done on these."""
    return _timezone.plain_utc(instant)


def plain_restriction(restriction: TimeRestriction) -> TimeRestriction:
    """Return *restriction* with both ends in UTC."""
    earliest, latest, catchup = restriction
    return TimeRestriction(
        None if earliest is None else plain(earliest),
        None if latest is None else plain(latest),
        catchup,
    )
