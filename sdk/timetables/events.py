"""A timetable of given instants.

Source: ``spec/semantics.md`` section 4.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from .. import timezone as _timezone
from .base import DagRunInfo, DataInterval, TimeRestriction, Timetable, plain, plain_restriction


class EventsTimetable(Timetable):
    """Runs at each of the given instants."""

    kind = "events"
    periodic = False

    def __init__(
        self,
        event_dates: Iterable[datetime],
        restrict_to_events: bool = False,
        presorted: bool = False,
        description: str | None = None,
    ) -> None:
        """Take the instants; naive ones are in the default time zone.

        Args:
            restrict_to_events: a manual run covers the newest event that is over, not its own
                time.
            presorted: they come in order, and are left so.
        """
        events = [
            plain(_timezone.make_aware(date) if _timezone.is_naive(date) else date)
            for date in event_dates
        ]
        self.event_dates = events if presorted else sorted(events)
        self.restrict_to_events = restrict_to_events
        self.description = description or _describe(events)

    @property
    def summary(self) -> str:
        """How many events there are."""
        return f"{len(self.event_dates)} events"

    def serialize(self) -> dict[str, Any]:
        """Return all that the constructor took."""
        return {
            "event_dates": [date.isoformat() for date in self.event_dates],
            "restrict_to_events": self.restrict_to_events,
            "description": self.description,
        }

    @classmethod
    def deserialize(cls, data: Mapping[str, Any]) -> EventsTimetable:
        """Build it from what ``serialize`` gave."""
        return cls(
            [datetime.fromisoformat(date) for date in data["event_dates"]],
            restrict_to_events=data["restrict_to_events"],
            presorted=True,
            description=data["description"],
        )

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """Return *run_after* itself, or the newest event that is over (else the first)."""
        at = plain(run_after)
        if self.restrict_to_events and self.event_dates:
            over = [date for date in self.event_dates if date <= at]
            at = max(over) if over else self.event_dates[0]
        return DataInterval.exact(at)

    def next_dagrun_info(
        self,
        *,
        last_automated_data_interval: DataInterval | None,
        restriction: TimeRestriction,
    ) -> DagRunInfo | None:
        """Return the run at the next event; without catchup only at one that is yet to come."""
        earliest, latest, catchup = plain_restriction(restriction)
        last = None
        if last_automated_data_interval is not None:
            last = plain(last_automated_data_interval.end)
        floor = earliest
        if not catchup:
            now = _timezone.utcnow()
            floor = now if earliest is None else max(now, earliest)
        for date in self.event_dates:
            if (floor is None or date >= floor) and (last is None or date > last):
                return None if latest is not None and date > latest else DagRunInfo.exact(date)
        return None


def _describe(events: list[datetime]) -> str:
    if not events:
        return "No events"
    return f"{len(events)} events between {min(events).isoformat()} and {max(events).isoformat()}"
