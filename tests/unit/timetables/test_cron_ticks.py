"""Cron expressions through changes of the clock: semantics 4.5, promise G-S4."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tradewind.sdk.exceptions import AirflowTimetableInvalid
from tradewind.sdk.timetables.cron_ticks import CronNeverFires, CronTicks

NEW_YORK, PARIS = "America/New_York", "Europe/Paris"

ZONES = [
    "UTC",
    NEW_YORK,
    PARIS,
    "Australia/Lord_Howe",  # moves by half an hour
    "Pacific/Apia",  # left out 30 December 2011
    "Africa/Casablanca",  # winter time in Ramadan
    "America/Sao_Paulo",  # used to change at midnight
    "Asia/Kolkata",
    "Antarctica/Troll",  # moves by two hours
    "Asia/Pyongyang",
    "America/Caracas",  # moved by half an hour for good
]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ticks_from(ticks: CronTicks, start: datetime, count: int) -> list[datetime]:
    found = [ticks.next(start)]
    while len(found) < count:
        found.append(ticks.next(found[-1]))
    return found


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("30 2 * * *", NEW_YORK, "2024-03-09T00", ["09T07:30", "10T07:30", "11T06:30"]),
        ("0 * * * *", NEW_YORK, "2024-03-10T04:30", ["10T05", "10T06", "10T07", "10T08"]),
        (
            "0 */4 * * *",
            NEW_YORK,
            "2024-03-10T00:30",
            ["10T01", "10T05", "10T08", "10T12", "10T16"],
        ),
        ("30 2 * * *", PARIS, "2024-03-30T00", ["30T01:30", "31T01:30"]),
        ("0 0 * * *", PARIS, "2024-03-29T12", ["29T23", "30T23", "31T22"]),
        (
            "*/30 * * * *",
            NEW_YORK,
            "2024-11-03T04:10",
            ["03T04:30", "03T05", "03T05:30", "03T06", "03T06:30"],
        ),
    ],
)
def test_ticks_within_a_month_are_those_of_the_worked_table(cron, zone, after, expected):
    ticks = CronTicks(cron, ZoneInfo(zone))

    assert ticks_from(ticks, utc(after), len(expected)) == [
        utc(f"{after[:8]}{text}") for text in expected
    ]


@pytest.mark.parametrize(
    ("cron", "zone", "expected"),
    [
        ("30 2 * * *", PARIS, ["2024-03-31T01:30", "2024-04-01T00:30"]),
        ("30 2 * * *", PARIS, ["2024-10-26T00:30", "2024-10-27T01:30", "2024-10-28T01:30"]),
        ("30 1 * * *", NEW_YORK, ["2024-11-02T05:30", "2024-11-03T06:30", "2024-11-04T06:30"]),
        ("0 1 * * *", NEW_YORK, ["2025-11-01T05:00", "2025-11-02T06:00", "2025-11-03T06:00"]),
    ],
)
def test_a_local_time_that_occurs_twice_is_the_second(cron, zone, expected):
    ticks = CronTicks(cron, ZoneInfo(zone))
    instants = [utc(text) for text in expected]

    assert ticks_from(ticks, instants[0] - timedelta(minutes=1), len(instants)) == instants


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [  # as Airflow 3.3.2 ticks; at 15:00 on 6 April 2:00 becomes 1:30, on 5 October at 15:30 2:30
        ("*/20 * * * *", "2024-04-06T14:30", ["06T14:40", "06T15:00", "06T15:10", "06T15:30"]),
        ("30 * * * *", "2024-04-06T14:00", ["06T14:30", "06T15:30", "06T16:00", "06T17:00"]),
        ("0 * * * *", "2024-04-06T13:30", ["06T14:00", "06T15:00", "06T15:30", "06T16:30"]),
        ("*/20 * * * *", "2024-10-05T15:00", ["05T15:10", "05T15:30", "05T15:40", "05T16:00"]),
        ("30 * * * *", "2024-10-05T14:30", ["05T15:00", "05T16:00", "05T16:30", "05T17:30"]),
    ],
)
def test_where_the_clock_moves_by_half_an_hour_one_tick_hands_over(cron, after, expected):
    ticks = CronTicks(cron, ZoneInfo("Australia/Lord_Howe"))
    instants = [utc(f"{after[:8]}{text}") for text in expected]

    assert ticks_from(ticks, utc(after), len(instants)) == instants


@pytest.mark.parametrize("changes_at", ["2024-04-06T15:00", "2024-10-05T15:30"])
@pytest.mark.parametrize("minute", [*map(str, range(0, 60, 5)), "*/7", "*/20", "50-59"])
def test_ticks_are_the_same_forth_and_back_where_the_clock_moves_by_half_an_hour(
    minute, changes_at
):
    ticks = CronTicks(f"{minute} * * * *", ZoneInfo("Australia/Lord_Howe"))
    found = ticks_from(ticks, utc(changes_at) - timedelta(hours=4), 24)

    for earlier, later in pairwise(found):
        assert timedelta(0) < later - earlier <= timedelta(hours=1)
        assert ticks.previous(later) == earlier
        assert ticks.previous(later - timedelta(seconds=1)) == earlier
        assert ticks.next(later - timedelta(seconds=1)) == later


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("Australia/Lord_Howe", "2024-04-06T15:00"),  # 2:00 becomes 1:30
        ("Australia/Lord_Howe", "2024-10-05T15:30"),  # 2:00 becomes 2:30
        ("America/New_York", "2024-11-03T06:00"),
        ("Pacific/Apia", "2011-12-30T10:00"),
    ],
)
def test_an_hourly_task_waits_for_no_more_than_an_hour_of_real_time(zone, around):
    ticks = CronTicks("0 * * * *", ZoneInfo(zone))

    found = ticks_from(ticks, utc(around) - timedelta(hours=6), 12)

    assert max(later - earlier for earlier, later in pairwise(found)) == timedelta(hours=1)


def test_a_tick_in_the_gap_does_not_hide_those_after_it():
    """2:40 does not exist on that day and moves on to 3:40; 3:10 comes before it."""
    ticks = CronTicks("10,40 2,3 * * *", ZoneInfo(NEW_YORK))

    assert ticks_from(ticks, utc("2024-03-10T00:00"), 3) == [
        utc("2024-03-10T07:10"),
        utc("2024-03-10T07:40"),
        utc("2024-03-11T06:10"),
    ]


def test_a_day_that_was_left_out_runs_on_the_next_one_only_once():
    ticks = CronTicks("30 2 * * *", ZoneInfo("Pacific/Apia"))

    local = [
        tick.astimezone(ZoneInfo("Pacific/Apia")).strftime("%m-%d %H:%M")
        for tick in ticks_from(ticks, utc("2011-12-28T13:00"), 3)
    ]

    assert local == ["12-29 02:30", "12-31 02:30", "01-01 02:30"]


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 0 12 * * 5", "2024-01-15", "2024-02-12T00:00:05"),  # the sixth field: seconds
        ("@annually", "2024-01-15", "2025-01-01"),
        ("@midnight", "2024-01-15", "2024-01-16"),
        ("@quarterly", "2024-01-15", "2024-04-01"),
        ("0 0 L * *", "2024-01-15", "2024-01-31"),
        ("0 12 * * 1#2", "2024-01-15", "2024-02-12T12"),
        ("0 0 13 * fri", "2024-01-15", "2024-01-19"),  # both days restricted: either will do
        ("0 0 * * 7", "2024-01-15", "2024-01-21"),
    ],
)
def test_the_dialect_of_cron_is_that_of_airflow(cron, after, expected):
    assert CronTicks(cron, UTC).next(utc(after)) == utc(expected)


@pytest.mark.parametrize("cron", ["99 * * * *", "* * *", "", "often", "H * * * *"])
def test_what_is_no_cron_expression_fails_when_it_is_validated(cron):
    ticks = CronTicks(cron, UTC)

    with pytest.raises(AirflowTimetableInvalid):
        ticks.validate()


def test_an_expression_that_no_day_matches_says_so():
    ticks = CronTicks("0 0 30 2 *", UTC)

    with pytest.raises(CronNeverFires):
        ticks.validate()
    with pytest.raises(CronNeverFires):
        ticks.next(utc("2024-01-15"))
    with pytest.raises(CronNeverFires):
        ticks.previous(utc("2024-01-15"))


def test_a_part_of_a_second_past_a_tick_that_tick_is_the_one_before():
    ticks = CronTicks("@daily", UTC)
    midnight = utc("2024-01-15")

    assert ticks.previous(midnight + timedelta(microseconds=1)) == midnight
    assert ticks.align_previous(midnight + timedelta(microseconds=1)) == midnight
    assert ticks.align_next(midnight + timedelta(microseconds=1)) == utc("2024-01-16")
    assert ticks.align_next(midnight) == ticks.align_previous(midnight) == midnight


minutes = st.sampled_from(["0", "30", "*/15", "45", "10,40", "*/7"])
hours = st.sampled_from(["*", "*/4", "0", "1", "2", "1-3", "23", "2,12"])
days = st.sampled_from(["* * *", "* * 0", "1 * *", "L * *", "30,31 * *", "* * 1-5", "29 2 *"])
all_zones = st.sampled_from(sorted(available_timezones()))
crons = st.builds(lambda minute, hour, day: f"{minute} {hour} {day}", minutes, hours, days)
instants = st.datetimes(
    datetime(1970, 1, 3),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2099, 12, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@st.composite
def instants_near_changes(draw: st.DrawFn, zone: str) -> datetime:
    """Half of them within two days of a change of the clock, where it is hard."""
    instant = draw(instants)
    if draw(st.booleans()):
        zone_info = ZoneInfo(zone)
        for _ in range(400):
            later = instant + timedelta(days=1)
            if instant.astimezone(zone_info).utcoffset() != later.astimezone(zone_info).utcoffset():
                return instant + timedelta(minutes=draw(st.integers(-1440, 2880)))
            instant = later
    return instant


@given(data=st.data(), zone=st.sampled_from(ZONES) | all_zones, cron=crons)
@settings(max_examples=150, deadline=None)
def test_next_and_previous_are_each_others_reverse_in_all_zones(data, zone, cron):
    """So data intervals tile the time line: no gap, no overlap, none of length zero."""
    ticks = CronTicks(cron, ZoneInfo(zone))
    instant = data.draw(instants_near_changes(zone))

    following = ticks.next(instant)
    preceding = ticks.previous(instant)

    assert preceding < instant < following
    assert ticks.next(following) > following
    assert ticks.previous(ticks.next(following)) == following
    assert ticks.next(ticks.previous(preceding)) == preceding
    aligned = ticks.align_previous(instant)
    assert aligned in (instant, preceding)
    assert ticks.align_next(instant) == (instant if aligned == instant else following)


@given(data=st.data(), zone=st.sampled_from(ZONES), minute=st.integers(0, 59))
@settings(max_examples=60, deadline=None)
def test_no_local_day_with_the_hour_on_it_is_left_out_or_doubled(data, zone, minute):
    """A daily task: one tick on each local day that exists, for a fortnight."""
    ticks = CronTicks(f"{minute} 2 * * *", ZoneInfo(zone))
    instant = data.draw(instants_near_changes(zone))

    found = ticks_from(ticks, instant, 14)

    local_days = [tick.astimezone(ZoneInfo(zone)).date() for tick in found]
    assert len(set(local_days)) == 14
    skipped = [
        later for earlier, later in pairwise(local_days) if later - earlier != timedelta(days=1)
    ]
    if zone == "Pacific/Apia":
        skipped = [day for day in skipped if str(day) != "2011-12-31"]
    assert skipped == []


@given(data=st.data(), zone=st.sampled_from(ZONES))
@example(data=None, zone="Australia/Lord_Howe")
@settings(max_examples=60, deadline=None)
def test_a_quarter_hourly_task_runs_each_quarter_of_an_hour_of_real_time(data, zone):
    ticks = CronTicks("*/15 * * * *", ZoneInfo(zone))
    if data is None:
        instant = utc("2024-04-06T13:00")
    else:
        instant = data.draw(instants_near_changes(zone))
        # Offsets of odd minutes ended long ago, in these zones by the middle of 1972.
        assume(instant.year > 1972)

    found = ticks_from(ticks, instant, 12)

    assert {later - earlier for earlier, later in pairwise(found)} == {timedelta(minutes=15)}
