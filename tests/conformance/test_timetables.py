"""Airflow's own plans, recorded: ours have to be the same, run for run."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tradewind.sdk import timezone
from tradewind.sdk.timetables.base import DataInterval, TimeRestriction, Timetable
from tradewind.sdk.timetables.interval import (
    CronDataIntervalTimetable,
    DeltaDataIntervalTimetable,
)
from tradewind.sdk.timetables.registry import deserialize_timetable, serialize_timetable
from tradewind.sdk.timetables.trigger import CronTriggerTimetable, MultipleCronTriggerTimetable

PLANS = json.loads((Path(__file__).parent / "data" / "timetables.json").read_text(encoding="utf-8"))


def timetable_of(plan: dict[str, Any]) -> Timetable:
    zone = plan["timezone"]
    match plan["kind"]:
        case "cron_interval":
            return CronDataIntervalTimetable(plan["cron"], timezone=zone)
        case "cron_trigger":
            return CronTriggerTimetable(plan["cron"], timezone=zone)
        case "cron_trigger_interval":
            interval = timedelta(seconds=plan["interval_seconds"])
            return CronTriggerTimetable(plan["cron"], timezone=zone, interval=interval)
        case "delta_interval":
            return DeltaDataIntervalTimetable(timedelta(seconds=plan["delta_seconds"]))
        case "multiple_cron_trigger":
            return MultipleCronTriggerTimetable(*plan["crons"], timezone=zone)
    raise AssertionError(plan["kind"])


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def planned(timetable: Timetable, plan: dict[str, Any]) -> list[dict[str, str] | None]:
    restriction = TimeRestriction(
        instant(plan["start_date"]), instant(plan["end_date"]), plan["catchup"]
    )
    last: DataInterval | None = None
    runs: list[dict[str, str] | None] = []
    while len(runs) < 6:
        info = timetable.next_dagrun_info(
            last_automated_data_interval=last, restriction=restriction
        )
        if info is None:
            return [*runs, None]
        last = info.data_interval
        assert last is not None
        runs.append(
            {
                "logical_date": info.logical_date.isoformat(),
                "data_interval_start": last.start.isoformat(),
                "data_interval_end": last.end.isoformat(),
                "run_after": info.run_after.isoformat(),
            }
        )
    return runs


def test_there_are_as_many_plans_as_were_recorded():
    assert len(PLANS) == 210


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan["id"])
def test_the_plan_equals_the_recorded_one(plan):
    timetable = deserialize_timetable(serialize_timetable(timetable_of(plan)))

    with timezone.frozen(datetime.fromisoformat(plan["now"])) as now:
        runs = planned(timetable, plan)
        manual = timetable.infer_manual_data_interval(run_after=now)

    assert runs == plan["expected"]
    assert {
        "data_interval_start": manual.start.isoformat(),
        "data_interval_end": manual.end.isoformat(),
    } == plan["manual_at_now"]
