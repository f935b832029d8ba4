"""A year of days in weeks, for drawing: each day with its runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

#: What stands for a day with several runs: the first of these that any has.
WORST_FIRST = ("failed", "running", "queued", "success")


@dataclass(frozen=True, slots=True)
class Day:
    """One day: its column (week) and row (weekday), how many runs, and the worst of them."""

    day: date
    week: int
    weekday: int
    runs: int
    state: str
    planned: int


@dataclass(frozen=True, slots=True)
class Year:
    """All days of a year. ``months``: name and first week of each."""

    year: int
    days: Sequence[Day]
    months: Sequence[tuple[str, int]]


def make_year(year: int, runs: Iterable[tuple[datetime, str]], planned: Iterable[datetime]) -> Year:
    """Sort runs (logical date, state) and planned dates into the days of *year*, in UTC."""
    found: dict[date, list[str]] = {}
    for at, state in runs:
        found.setdefault(at.date(), []).append(state)
    coming: dict[date, int] = {}
    for at in planned:
        coming[at.date()] = coming.get(at.date(), 0) + 1
    first = date(year, 1, 1)
    start = first - timedelta(days=first.weekday())
    days, months = [], []
    day = first
    while day.year == year:
        states = found.get(day, [])
        week = (day - start).days // 7
        worst = next((one for one in WORST_FIRST if one in states), "none")
        days.append(Day(day, week, day.weekday(), len(states), worst, coming.get(day, 0)))
        if day.day == 1:
            months.append((day.strftime("%b"), week))
        if day == date.max:
            break
        day += timedelta(days=1)
    return Year(year, days, months)
