"""Schedules through every change of every clock on earth, 2000 to 2040 (promise G-S4).

Zones that keep the same time are tested once. CI takes some changes of each zone; all of them,
and more instants between, are taken by hand: ``pytest -m slow tests/unit/timetables``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from tradewind.sdk import timezone
from tradewind.sdk.timetables.base import TimeRestriction
from tradewind.sdk.timetables.cron_ticks import CronTicks
from tradewind.sdk.timetables.interval import CronDataIntervalTimetable
from tradewind.sdk.timetables.trigger import CronTriggerTimetable

FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2040, 12, 31, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

#: Fixed hours: one run for each time on the wall clock. ``*``: a run each hour (half hour) of
#: real time, never two at once, never a longer pause.
FIXED = ("30 2 * * *", "0 0 * * *", "15 1,3 * * *", "0 */4 * * 0,1,6")
STEADY = {"0 * * * *": HOUR, "*/30 * * * *": 30 * MINUTE}


@lru_cache(maxsize=1)
def zones() -> dict[str, list[datetime]]:
    """Return one zone of each that keeps its own time, with the changes of its clock."""
    found: dict[tuple[object, ...], str] = {}
    samples = [FIRST + number * 5 * DAY for number in range((LAST - FIRST) // (5 * DAY))]
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        found.setdefault(tuple(at.astimezone(zone).utcoffset() for at in samples), name)
    return {name: list(changes_of(ZoneInfo(name))) for name in found.values()}


def changes_of(zone: ZoneInfo) -> Iterator[datetime]:
    day, before = FIRST, FIRST.astimezone(zone).utcoffset()
    while day < LAST:
        day += DAY
        after = day.astimezone(zone).utcoffset()
        if after != before:
            low, high = day - DAY, day
            while high - low > MINUTE:
                middle = low + (high - low) // 2
                middle -= timedelta(seconds=middle.second, microseconds=middle.microsecond)
                if middle.astimezone(zone).utcoffset() == before:
                    low = middle
                else:
                    high = middle
            yield high
            before = after


def check(name: str, cron: str, around: datetime) -> None:
    """Check the two days on each side of *around*."""
    zone = ZoneInfo(name)
    ticks = walk(CronTicks(cron, zone), around - 2 * DAY, around + 2 * DAY)
    what = f"{cron} in {name} around {around}"
    assert all(a < b for a, b in pairwise(ticks)), what
    assert [CronTicks(cron, zone).previous(tick) for tick in ticks[1:]] == ticks[:-1], what
    if cron in STEADY:
        assert all(b - a <= STEADY[cron] for a, b in pairwise(ticks)), what
    else:
        assert ticks == wall_clock(cron, zone, ticks[0], ticks[-1]), what
    check_runs(cron, zone, ticks, what)


def walk(ticks: CronTicks, start: datetime, end: datetime) -> list[datetime]:
    found = [ticks.next(start)]
    while found[-1] < end:
        found.append(ticks.next(found[-1]))
    return found


def wall_clock(cron: str, zone: ZoneInfo, first: datetime, last: datetime) -> list[datetime]:
    """Return what the rule of section 4.5 says, found by going through all days by hand.

    A time that is left out moves on by the gap; of one that comes twice the second counts.
    """
    minute, hours, *_, weekdays = cron.split()
    if hours.startswith("*/"):
        wanted = range(0, 24, int(hours[2:]))
    else:
        wanted = [int(hour) for hour in hours.split(",")]
    found = set()
    day = (first - 3 * DAY).replace(hour=0, minute=0, second=0, tzinfo=None)
    while day < last.replace(tzinfo=None) + 3 * DAY:
        if weekdays == "*" or str((day.weekday() + 1) % 7) in weekdays.split(","):
            for hour in wanted:
                local = day.replace(hour=hour, minute=int(minute))
                before, after = (
                    local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)
                )
                assert before is not None
                assert after is not None
                found.add((local - min(before, after)).replace(tzinfo=UTC))
        day += DAY
    return sorted(tick for tick in found if first <= tick <= last)


def check_runs(cron: str, zone: ZoneInfo, ticks: list[datetime], what: str) -> None:
    """Plan run after run, as a scheduler does that is restarted before each of them."""
    intervals = CronDataIntervalTimetable(cron, zone)
    triggers = CronTriggerTimetable(cron, timezone=zone)
    restriction = TimeRestriction(ticks[0], None, True)
    last = None
    covered = []
    for _ in ticks[1:]:
        info = intervals.next_dagrun_info(
            last_automated_data_interval=last, restriction=restriction
        )
        assert info is not None
        last = info.data_interval
        covered.append((last.start, last.end))
        assert info.run_after == last.end
    assert covered == list(pairwise(ticks)), what
    last = None
    fired = []
    for _ in ticks:
        info = triggers.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        assert info is not None
        last = info.data_interval
        fired.append(info.run_after)
    assert fired == ticks, what
    # Without catchup, at whatever instant the scheduler comes back: a slot of the same grid.
    latest = TimeRestriction(ticks[0] - 30 * DAY, None, False)
    for start, end in pairwise(ticks[len(ticks) // 2 - 1 : len(ticks) // 2 + 3]):
        with timezone.frozen(start + (end - start) / 3):
            info = intervals.next_dagrun_info(last_automated_data_interval=None, restriction=latest)
        assert info is not None
        assert info.data_interval.end == start, what


def test_zones_differ_as_the_world_does():
    assert len(zones()) > 180
    assert sum(len(changes) for changes in zones().values()) > 5000


def test_every_zone_at_some_changes_of_its_clock_and_between():
    chance = random.Random(20261121)
    for name, changes in zones().items():
        at = chance.choice(changes) if changes else some_instant(chance)
        check(name, chance.choice([*FIXED, *STEADY]), at)


@pytest.mark.slow
def test_every_change_of_every_clock():
    chance = random.Random(1)
    for name, changes in zones().items():
        for at in [*changes, *(some_instant(chance) for _ in range(20))]:
            check(name, chance.choice(FIXED), at)
            check(name, chance.choice(list(STEADY)), at)


def some_instant(chance: random.Random) -> datetime:
    return FIRST + timedelta(minutes=chance.randrange(int((LAST - FIRST) / MINUTE)))
