"""``WeekDay``: days of the week as numbers, Monday is 1 (ISO)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any


class WeekDay(IntEnum):
    """One day of the week."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7

    @classmethod
    def get_weekday_number(cls, week_day_str: str) -> int:
        """Return the day of an English name, in any case.

        Raises:
            AttributeError: no day is called so.
        """
        try:
            return cls[week_day_str.upper()]
        except KeyError:
            raise AttributeError(f"no day of the week is called {week_day_str!r}") from None

    @classmethod
    def convert(cls, day: Any) -> int:
        """Return the day of a name or of a member.

        Raises:
            TypeError: *day* is neither.
        """
        if isinstance(day, WeekDay):
            return day
        if isinstance(day, str):
            return cls.get_weekday_number(day)
        raise TypeError(f"a day of the week is a WeekDay or its name, not {day!r}")

    @classmethod
    def validate_week_day(cls, week_day: Any) -> set[int]:
        """Return the days of a name, a member, or several of them.

        Raises:
            AttributeError, TypeError: as ``convert``.
        """
        if isinstance(week_day, (str, WeekDay)):
            return {cls.convert(week_day)}
        if not isinstance(week_day, Iterable):
            raise TypeError(
                "week_day must be a WeekDay, its name, or several of them, "
                f"not {type(week_day).__name__}"
            )
        return {cls.convert(day) for day in week_day}
