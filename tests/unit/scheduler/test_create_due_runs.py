"""The steps that plan and create runs, on the real store in memory and a clock moved by hand."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from tradewind.database.store import Store
from tradewind.database.values import NewRun, ParsedDag, ParsedFile
from tradewind.scheduler.create_due_runs import CreateDueRuns
from tradewind.scheduler.plan_next_runs import PlanNextRuns
from tradewind.scheduler.quarantine import Quarantine
from tradewind.scheduler.step import Tick
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.serialized import SerializedDag, SerializedTask, SerializedTimetable, encode
from tradewind.sdk.timetables.create import create_timetable
from tradewind.sdk.timetables.registry import serialize_timetable

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


class House:
    """Plans and creates at each ``tick``, as the loop does."""

    def __init__(self) -> None:
        self.clock = VirtualClock(NOON)
        self.store = Store.in_memory(clock=self.clock)
        self.quarantine = Quarantine(self.clock)
        self.steps = [PlanNextRuns(self.store), CreateDueRuns(self.store)]

    def add(self, dag_id="daily", schedule="@daily", *, is_paused=False, timetable=None, **fields):
        created = timetable or serialize_timetable(
            create_timetable(schedule, timezone="UTC", dialect="2")
        )
        fields.setdefault("start_at", datetime(2026, 1, 1, tzinfo=UTC))
        dag = SerializedDag(
            dag_id,
            "2",
            created,
            is_paused_upon_creation=is_paused,
            tasks=[SerializedTask("t", "EmptyOperator")],
            **fields,
        )
        now = self.clock.now()
        parsed = ParsedFile(
            f"{dag_id}.py", f"/{dag_id}.py", "0", now, 0.0, [ParsedDag(dag_id, encode(dag))]
        )
        self.store.files.save(parsed, now)

    def tick(self, times=1) -> None:
        for _ in range(times):
            tick = Tick(self.clock.now(), is_sweep=True, quarantine=self.quarantine)
            for step in self.steps:
                step.run(tick)

    def dates(self, dag_id="daily") -> list[str]:
        runs = self.store.runs.list(dag_id, limit=1000, order="logical_date")
        return [f"{run.logical_date:%m-%d}" for run in runs]


@pytest.fixture
def house():
    return House()


def test_a_run_is_created_when_its_data_interval_has_ended_and_only_once(house):
    house.add(start_at=datetime(2026, 1, 10, tzinfo=UTC))
    house.tick(3)
    assert house.dates() == []

    house.clock.set(datetime(2026, 1, 11, tzinfo=UTC))
    house.tick(3)
    assert house.dates() == ["01-10"]


def test_without_catchup_only_the_newest_slot_is_run_after_a_downtime(house):
    house.add()
    house.tick(3)
    assert house.dates() == ["01-09"]

    house.clock.advance(days=5)
    house.tick(3)

    assert house.dates() == ["01-09", "01-14"]


def test_with_catchup_every_slot_is_created_in_order_up_to_the_limit_of_active_runs(house):
    house.add(catchup=True, max_active_runs=3)

    house.tick(3)

    assert house.dates() == ["01-01", "01-02", "01-03"]


def test_catchup_that_was_only_implied_makes_one_run_where_nobody_unpaused_the_dag(house):
    house.add(catchup=True, is_catchup_implied=True)
    house.tick(3)
    assert house.dates() == ["01-09"]

    house.clock.advance(days=2)
    house.tick(3)
    assert house.dates() == ["01-09", "01-10", "01-11"]


def test_a_paused_dag_gets_no_run_until_it_is_unpaused(house):
    house.add(is_paused=True)
    house.tick(2)
    assert house.dates() == []

    house.store.dags.set_paused("daily", False, house.clock.now(), "user:ann")
    house.tick(2)
    assert house.dates() == ["01-09"]


def test_a_slot_that_exists_already_is_passed_over(house):
    house.add(catchup=True, start_at=datetime(2026, 1, 8, tzinfo=UTC), is_paused=True)
    house.tick()
    at = datetime(2026, 1, 8, tzinfo=UTC)
    house.store.runs.create(NewRun("daily", "mine", "manual", NOON, logical_date=at), NOON)
    house.store.dags.set_paused("daily", False, NOON, "user:ann")

    house.tick(3)

    assert house.dates() == ["01-08", "01-09"]


def test_a_backward_step_of_the_clock_creates_nothing(house):
    house.add()
    house.tick(2)

    house.clock.set(NOON - timedelta(days=3))
    house.tick(2)
    house.clock.set(NOON)
    house.tick(2)

    assert house.dates() == ["01-09"]


def test_a_timetable_that_cannot_be_read_holds_back_its_own_dag_only(house, caplog):
    caplog.set_level(logging.CRITICAL)
    house.add("broken", timetable=SerializedTimetable("no-such-kind"))
    house.add("daily")

    house.tick()

    assert house.dates("daily") == ["01-09"]
    assert house.quarantine.is_held("plan broken")


def test_many_slots_of_one_tick_are_bounded(house):
    house.add("minutely", "* * * * *", catchup=True, max_active_runs=10_000)
    house.tick()

    assert house.store.runs.count("minutely") == 100


def test_a_custom_timetable_is_left_to_the_parser_before_and_after_each_run(house):
    house.add("custom", timetable=SerializedTimetable("custom", class_path="a.B"))

    house.tick()

    (due,) = house.store.dags.unplanned()
    assert due.is_custom_timetable
    assert house.dates("custom") == []
