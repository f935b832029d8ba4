"""Every row of the worked table of semantics 4.4, with the clock held at 2024-01-15T10:30Z."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from tradewind.sdk import timezone
from tradewind.sdk.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable
from tradewind.sdk.timetables.events import EventsTimetable
from tradewind.sdk.timetables.interval import (
    CronDataIntervalTimetable,
    DeltaDataIntervalTimetable,
)
from tradewind.sdk.timetables.simple import ContinuousTimetable, NullTimetable, OnceTimetable
from tradewind.sdk.timetables.trigger import (
    CronTriggerTimetable,
    DeltaTriggerTimetable,
    MultipleCronTriggerTimetable,
)

NOW = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
DAY = timedelta(days=1)
SIX_HOURS = timedelta(hours=6)


def january(text: str) -> datetime:
    """``12`` or ``12T08:30``: an instant of January 2024."""
    day, _, time = text.partition("T")
    hour, _, minute = (time or "0").partition(":")
    return datetime(2024, 1, int(day), int(hour), int(minute or 0), tzinfo=UTC)


def run(text: str) -> DagRunInfo:
    """``10>11``: covers these and starts at the end; ``10``: covers nothing."""
    start, _, end = text.partition(">")
    return DagRunInfo.interval(january(start), january(end or start))


def runs_of(
    timetable: Timetable,
    *,
    start: str | None = None,
    end: str | None = None,
    catchup: bool,
    last: str | None = None,
    count: int = 3,
) -> list[DagRunInfo | None]:
    restriction = TimeRestriction(
        None if start is None else january(start), None if end is None else january(end), catchup
    )
    previous = None if last is None else run(last).data_interval
    runs: list[DagRunInfo | None] = []
    with timezone.frozen(NOW):
        while len(runs) < count:
            info = timetable.next_dagrun_info(
                last_automated_data_interval=previous, restriction=restriction
            )
            runs.append(info)
            if info is None:
                break
            previous = info.data_interval
    return runs


def expected(texts: Iterable[str | None]) -> list[DagRunInfo | None]:
    return [None if text is None else run(text) for text in texts]


def for_two(timetable: Timetable) -> Timetable:
    timetable.dialect = "2"
    return timetable


CDI = CronDataIntervalTimetable("@daily")
CT = CronTriggerTimetable("@daily")
DDI = DeltaDataIntervalTimetable(SIX_HOURS)
DT = DeltaTriggerTimetable(SIX_HOURS)
COVERING = CronTriggerTimetable("@daily", interval=DAY)
EVENTS = EventsTimetable([january("12"), january("14T8"), january("18")])
MULTIPLE = MultipleCronTriggerTimetable("10 * * * *", "40 */2 * * *")

ROWS = [
    (CDI, {"start": "10", "catchup": True}, ["10>11", "11>12", "12>13"]),
    (CDI, {"start": "10T5", "catchup": True}, ["11>12", "12>13", "13>14"]),
    (CDI, {"start": "10", "catchup": False}, ["14>15", "15>16", "16>17"]),
    (CDI, {"start": "20T5", "catchup": False}, ["21>22", "22>23", "23>24"]),
    (CDI, {"start": "1", "catchup": False, "last": "5>6"}, ["14>15", "15>16", "16>17"]),
    (CDI, {"catchup": False}, ["14>15", "15>16", "16>17"]),
    (CDI, {"catchup": True}, [None]),
    (CDI, {"start": "10", "end": "11", "catchup": True}, ["10>11", "11>12", None]),
    (CT, {"start": "10", "catchup": True}, ["10", "11", "12"]),
    (CT, {"start": "10T5", "catchup": True}, ["11", "12", "13"]),
    (CT, {"start": "10", "catchup": False}, ["15", "16", "17"]),
    (CT, {"catchup": False}, ["16", "17", "18"]),
    (COVERING, {"start": "10", "catchup": True}, ["9>10", "10>11", "11>12"]),
    (DDI, {"start": "10T1", "catchup": True}, ["10T1>10T7", "10T7>10T13", "10T13>10T19"]),
    (DDI, {"start": "10T1", "catchup": False}, ["15T0>15T6", "15T6>15T12", "15T12>15T18"]),
    (EventsTimetable([]), {"start": "10", "catchup": True}, [None]),
    (DT, {"catchup": True}, ["15T10:30", "15T16:30", "15T22:30"]),
    (DT, {"start": "10T1", "catchup": True}, ["10T1", "10T7", "10T13"]),
    (DT, {"start": "10T1", "catchup": False}, ["15T10:30", "15T16:30", "15T22:30"]),
    (OnceTimetable(), {"start": "10", "catchup": True}, ["10", None]),
    (OnceTimetable(), {"catchup": True}, ["15T10:30", None]),
    (ContinuousTimetable(), {"start": "10", "catchup": False, "count": 1}, ["10>15T10:30"]),
    (
        ContinuousTimetable(),
        {"start": "10", "catchup": False, "last": "14>15", "count": 1},
        ["15>15T10:30"],
    ),
    (EVENTS, {"start": "13", "catchup": True}, ["14T8", "18", None]),
    (EVENTS, {"start": "13", "catchup": False}, ["18", None]),
    (
        MULTIPLE,
        {"start": "15", "catchup": True, "count": 5},
        ["15T0:10", "15T0:40", "15T1:10", "15T2:10", "15T2:40"],
    ),
    (MULTIPLE, {"start": "15", "catchup": False}, ["15T10:10", "15T10:40", "15T11:10"]),
    (NullTimetable(), {"start": "10", "catchup": True}, [None]),
]


@pytest.mark.parametrize(("timetable", "given", "planned"), ROWS)
def test_the_runs_are_those_of_the_worked_table(timetable, given, planned):
    assert runs_of(timetable, **given) == expected(planned)


@pytest.mark.parametrize(
    ("timetable", "catchup", "planned"),
    [
        (CronTriggerTimetable("@daily"), False, ["15", "16", "17"]),
        (CronTriggerTimetable("@daily"), True, [None]),
        (OnceTimetable(), True, [None]),
        (ContinuousTimetable(), True, [None]),
    ],
)
def test_dialect_two_differs_where_there_is_no_start_date(timetable, catchup, planned):
    assert runs_of(for_two(timetable), catchup=catchup) == expected(planned)


@pytest.mark.parametrize(
    ("timetable", "at", "covered"),
    [
        (CDI, "15T10:30", "14>15"),
        (CDI, "15", "14>15"),
        (CT, "15T10:30", "15T10:30>15T10:30"),
        (COVERING, "15T10:30", "14T10:30>15T10:30"),
        (DDI, "15T10:30", "15T4:30>15T10:30"),
        (NullTimetable(), "15T10:30", "15T10:30"),
        (EVENTS, "15T10:30", "15T10:30"),
        (EventsTimetable(EVENTS.event_dates, restrict_to_events=True), "15T10:30", "14T8"),
        (EventsTimetable(EVENTS.event_dates, restrict_to_events=True), "2", "12"),
        (
            MultipleCronTriggerTimetable("10 * * * *", "40 */2 * * *", interval=SIX_HOURS),
            "15T10:30",
            "15T4:30>15T10:30",
        ),
    ],
)
def test_a_manual_run_covers_what_its_timetable_infers(timetable, at, covered):
    interval = timetable.infer_manual_data_interval(run_after=january(at))

    assert interval == run(covered).data_interval


@pytest.mark.parametrize(
    ("run_immediately", "planned"),
    [
        (False, "16"),
        (True, "15"),
        (timedelta(hours=11), "15"),
        (timedelta(hours=10), "16"),
    ],
)
def test_the_first_run_without_start_date_is_as_run_immediately_says(run_immediately, planned):
    timetable = CronTriggerTimetable("@daily", run_immediately=run_immediately)

    assert runs_of(timetable, catchup=False, count=1) == expected([planned])
    assert runs_of(timetable, catchup=True, count=1) == expected([planned])


def test_a_tick_that_is_just_over_is_still_taken_by_a_dag_without_start_date():
    """Just over: a tenth of the distance between ticks, and five minutes at least."""
    assert runs_of(CronTriggerTimetable("0 */3 * * *"), catchup=False, count=1) == [
        DagRunInfo.exact(january("15T12"))
    ]
    assert runs_of(CronTriggerTimetable("15 9 * * *"), catchup=False, count=1) == [
        DagRunInfo.exact(january("15T9:15"))
    ]
    assert runs_of(CronTriggerTimetable("26 * * * *"), catchup=False, count=1) == [
        DagRunInfo.exact(january("15T10:26"))
    ]


def test_a_continuous_run_is_never_planned_twice():
    """Its start date lies in the future, so the first run has no length."""
    runs = runs_of(ContinuousTimetable(), start="20", catchup=False, count=3)

    assert len({info.logical_date for info in runs}) == 3


def test_a_step_back_of_the_clock_plans_no_earlier_slot():
    for timetable in (CDI, CT, DDI, DT):
        runs = runs_of(timetable, start="1", catchup=False, last="20>21", count=1)

        assert runs[0] is not None
        assert runs[0].logical_date >= january("21")


def test_months_are_counted_from_the_start_date():
    from dateutil.relativedelta import relativedelta

    timetable = DeltaDataIntervalTimetable(relativedelta(months=1))
    restriction = TimeRestriction(datetime(2023, 8, 31, tzinfo=UTC), None, catchup=False)

    with timezone.frozen(NOW):
        info = timetable.next_dagrun_info(
            last_automated_data_interval=None, restriction=restriction
        )

    assert info is not None
    assert info.data_interval == DataInterval(
        datetime(2023, 11, 30, tzinfo=UTC), datetime(2023, 12, 30, tzinfo=UTC)
    )
