"""Files, DAGs, versions, and the planning of next runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tradewind.database.errors import DagNotFound, DagRunExists, NotAllowed
from tradewind.database.values import NewRun
from tradewind.planning.plan_runs import PlannedRun
from tradewind.sdk.clock import VirtualClock
from tradewind.sdk.serialized import SerializedDag, SerializedTimetable
from tradewind.sdk.states import RunType


def planned(at, run_id="scheduled__1"):
    return PlannedRun(run_id, RunType.SCHEDULED, at, at, at, at)


def test_a_broken_file_keeps_its_dags_in_force(house, task):
    house.add(task("a"))

    house.save("d.py", error="SyntaxError: line 3")

    assert house.store.dags.get("d").is_active
    assert house.store.dags.get("d").has_import_errors
    [error] = house.store.files.import_errors()
    assert error.error == "SyntaxError: line 3"
    assert error.dag_ids == ("d",)


def test_of_a_file_with_one_bad_dag_the_others_are_new_and_the_bad_one_stays_as_it_was(house, task):
    def dag(dag_id, *names):
        tasks = [task(name) for name in names]
        return SerializedDag(dag_id, "3", SerializedTimetable("null"), tasks=tasks)

    house.save("d.py", dag("good", "a"), dag("bad", "a"))

    saved = house.save("d.py", dag("good", "a", "b"), error="DAG bad: it has no owner")

    assert (saved.changed_dag_ids, saved.gone_dag_ids) == (["good"], [])
    assert {row.dag_id for row in house.store.dags.list()} == {"good", "bad"}
    assert len(house.store.dags.serialized("good").tasks) == 2
    assert house.store.files.import_errors()[0].error == "DAG bad: it has no owner"


def test_a_good_parse_without_a_dag_takes_it_out_of_force(house, task):
    house.add(task("a"))
    house.run()

    saved = house.save("d.py")

    assert saved.gone_dag_ids == ["d"]
    assert not house.store.dags.get("d").is_active
    assert house.store.runs.get("d", "r").state == "running"


def test_a_file_that_is_gone_keeps_its_history_and_may_come_back(house, task):
    house.add(task("a"))
    house.run()

    assert house.store.files.forget("d.py", house.now) == ["d"]
    assert house.store.files.load_all() == []
    house.add(task("a"))

    assert house.store.dags.get("d").is_active
    assert len(house.store.runs.list("d")) == 1


def test_the_same_dag_makes_no_new_version(house, task):
    house.add(task("a"))
    house.run()
    house.add(task("a"))

    assert [row.number for row in house.store.dags.versions("d")] == [1]


def test_a_version_that_a_run_uses_is_kept_beside_the_new_one(house, task):
    house.add(task("a"))
    house.run()
    house.add(task("a"), task("b"))

    assert [row.number for row in house.store.dags.versions("d")] == [2, 1]
    assert house.store.dags.get("d").version_number == 2


def test_a_version_that_nothing_used_is_replaced(house, task):
    for name in ("a", "b", "c"):
        house.add(task(name))

    assert [row.number for row in house.store.dags.versions("d")] == [1]
    assert [one.task_id for one in house.store.dags.serialized("d").tasks] == ["c"]


def test_a_dag_id_in_two_files_is_an_error_of_the_second(house, task):
    house.add(task("a"), path="first.py")
    house.add(task("b"), path="second.py")

    [error] = house.store.files.import_errors()

    assert error.relative_path == "second.py"
    assert "already defined in /dags/first.py" in error.error
    assert [one.task_id for one in house.store.dags.serialized("d").tasks] == ["a"]


def test_a_dag_moves_to_another_file_when_the_first_is_gone(house, task):
    house.add(task("a"), path="first.py")
    house.store.files.forget("first.py", house.now)
    house.add(task("a"), path="second.py")

    assert house.store.dags.get("d").relative_fileloc == "second.py"


def test_a_new_dag_is_to_be_planned_and_then_due(house, task):
    house.add(task("a"))
    [asked] = house.store.dags.unplanned()
    assert (asked.dag_id, asked.is_first_plan, asked.last_interval_end) == ("d", True, None)

    at = house.now + timedelta(hours=1)
    house.store.dags.set_next_run("d", planned(at), house.now)

    assert house.store.dags.unplanned() == []
    assert house.store.dags.due(house.now) == []
    assert house.store.dags.next_due_at() == at
    [due] = house.store.dags.due(at)
    assert due.next_run_id == "scheduled__1"


def test_what_no_time_starts_is_never_to_be_planned(house, task):
    timetable = SerializedTimetable("null", can_be_scheduled=False)
    house.save("d.py", SerializedDag("d", "3", timetable, tasks=[task("a")]))

    assert house.store.dags.unplanned() == []

    house.add(task("a"))  # it has a schedule by now
    [asked] = house.store.dags.unplanned()
    assert (asked.dag_id, asked.is_first_plan) == ("d", False)


def test_creating_the_due_run_plans_the_next_in_the_same_commit(house, task):
    house.add(task("a"))
    first, second = house.now, house.now + timedelta(days=1)
    house.store.dags.set_next_run("d", planned(first), house.now)

    house.store.runs.create(
        NewRun("d", "scheduled__1", "scheduled", first, first, first, second),
        house.now,
        next_run=planned(second, "scheduled__2"),
    )

    assert house.store.dags.get("d").next_run_id == "scheduled__2"
    assert house.store.dags.planning_input("d").last_interval_end == second


def test_a_run_id_and_a_logical_date_are_taken_once(house, task):
    house.add(task("a"))
    house.run("r1", logical_date=house.now)

    with pytest.raises(DagRunExists, match="already has a run 'r1'"):
        house.run("r1")
    with pytest.raises(DagRunExists, match="logical date"):
        house.run("r2", logical_date=house.now)
    assert len(house.store.runs.list("d")) == 1


def test_a_paused_dag_is_not_due_and_starts_no_run(house, task):
    house.add(task("a"), is_paused_upon_creation=True)
    house.store.dags.set_next_run("d", planned(house.now), house.now)
    house.run()

    assert house.store.dags.due(house.now) == []
    assert house.run_state() == "queued"

    assert house.store.dags.set_paused("d", False, house.now, "user:me")
    assert not house.store.dags.set_paused("d", False, house.now, "user:me")
    assert [due.dag_id for due in house.store.dags.unplanned()] == ["d"]
    house.store.runs.start_queued(house.now)
    assert house.run_state() == "running"


def test_no_run_begins_before_the_end_that_made_room_for_it(house, task):
    house.add(task("a"), max_active_runs=1)
    house.run("first")
    tick_at = house.now
    house.pass_time(seconds=2)  # a long tick: meanwhile the first run ends
    house.finish(house.claim()[0])
    house.run("second", start=False, run_after=tick_at)

    house.store.runs.start_queued(tick_at, VirtualClock(house.now))

    first, second = (house.store.runs.get("d", run_id) for run_id in ("first", "second"))
    assert first.ended_at <= second.started_at


def test_pausing_stops_queueing_in_running_runs(house, task):
    house.add(task("a"), task("b", "a"))
    house.run()
    [claim] = house.claim()
    house.store.dags.set_paused("d", True, house.now, "user:me")

    finished = house.finish(claim, limit=1)

    assert finished.claims == []
    assert house.states() == {"a": "success", "b": "scheduled"}


def test_a_full_dag_is_not_due(house, task):
    house.add(task("a"), max_active_runs=1)
    house.store.dags.set_next_run("d", planned(house.now), house.now)
    house.run()

    assert house.store.dags.due(house.now) == []
    assert house.store.dags.next_due_at() is None


def test_lists_of_dags_are_filtered_and_counted(house, task):
    for name, tags in (("alpha", ["x"]), ("beta", ["x", "y"]), ("gamma", [])):
        house.add(task("a"), dag_id=name, tags=tags)

    assert [row.dag_id for row in house.store.dags.list(tags=["x"])] == ["alpha", "beta"]
    assert [row.dag_id for row in house.store.dags.list(pattern="AMM")] == ["gamma"]
    assert house.store.dags.count(tags=["x", "y"]) == 1
    assert [row.dag_id for row in house.store.dags.list(after="alpha", limit=1)] == ["beta"]
    assert house.store.dags.list(tags=["y"])[0].tags == ("x", "y")
    assert house.store.dags.tags() == ["x", "y"]


def test_deleting_a_dag_takes_its_history_and_asks_for_another_parse(house, task):
    house.add(task("a"))
    house.run()

    house.store.dags.delete("d", house.now, "user:me")

    with pytest.raises(DagNotFound):
        house.store.dags.get("d")
    assert house.store.runs.list("d") == []
    assert house.store.files.outdated() == ["d.py"]


def test_a_dag_with_a_running_task_cannot_be_deleted(house, task):
    house.add(task("a"))
    house.run()
    house.claim()

    with pytest.raises(NotAllowed, match="still runs"):
        house.store.dags.delete("d", house.now, "user:me")


def test_the_source_of_a_version_is_kept(house, task):
    house.add(task("a"))

    assert house.store.dags.source("d") == "# source"


def test_too_many_failures_in_a_row_pause_the_dag(house, task):
    house.add(task("a"), max_consecutive_failed_dag_runs=2)
    for name in ("r1", "r2"):
        house.run(name)
        [claim] = house.claim()
        house.finish(claim, "failed")

    assert house.store.dags.get("d").is_paused


def test_a_dag_that_cannot_be_planned_is_an_error_of_its_file_and_spares_the_others(house, task):
    bad = SerializedDag(
        "bad", "3", SerializedTimetable("null"), tasks=[task("a", "b"), task("b", "a")]
    )
    good = SerializedDag("good", "3", SerializedTimetable("null"), tasks=[task("a")])

    house.save("d.py", bad, good)

    assert [row.dag_id for row in house.store.dags.list()] == ["good"]
    assert "form a cycle" in house.store.files.import_errors()[0].error
