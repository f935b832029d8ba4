"""Lengths of time in schedules: a ``timedelta``, or a ``relativedelta`` with months and years."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from ..exceptions import AirflowTimetableInvalid

Length = timedelta | relativedelta

_RELATIVE = ("years", "months", "days", "hours", "minutes", "seconds", "microseconds", "leapdays")
_ABSOLUTE = ("year", "month", "day", "hour", "minute", "second", "microsecond", "weekday")


def as_timedelta(length: Length) -> timedelta | None:
    """Return the same length as a timedelta, None where it depends on the date."""
    if isinstance(length, timedelta):
        return length
    if length.years or length.months or length.leapdays:
        return None
    if any(getattr(length, name) is not None for name in _ABSOLUTE):
        return None
    return timedelta(
        days=length.days,
        hours=length.hours,
        minutes=length.minutes,
        seconds=length.seconds,
        microseconds=length.microseconds,
    )


def check_length(length: Length, from_at: datetime) -> None:
    """Make sure that adding the length gives a later instant.

    Raises:
        AirflowTimetableInvalid: it does not move time forward.
    """
    if not from_at + length > from_at:
        raise AirflowTimetableInvalid(f"schedule interval must be positive, not {length!r}")


def dump_length(length: Length) -> Any:
    """Return the length as JSON: seconds, or the fields of a relativedelta."""
    if isinstance(length, timedelta):
        return length.total_seconds()
    fields: dict[str, Any] = {name: getattr(length, name) for name in _ABSOLUTE}
    if length.weekday is not None:
        fields["weekday"] = [length.weekday.weekday, length.weekday.n]
    fields = {name: value for name, value in fields.items() if value is not None}
    relative = {name: getattr(length, name) for name in _RELATIVE}
    return fields | {name: value for name, value in relative.items() if value}


def load_length(data: Any) -> Length:
    """Build the length again from what ``dump_length`` gave."""
    if isinstance(data, int | float):
        return timedelta(seconds=data)
    fields = dict(data)
    if "weekday" in fields:
        from dateutil.relativedelta import weekday

        day, count = fields["weekday"]
        fields["weekday"] = weekday(day, count)
    return relativedelta(**fields)
