"""SLAs of Airflow 2 and deadlines of Airflow 3: written down once, told once (semantics 10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.sdk.serialized import SerializedDag, SerializedDeadline, encode
from tradewind.sdk.timetables.interval import CronDataIntervalTimetable
from tradewind.sdk.timetables.registry import serialize_timetable

DAY = timedelta(days=1)


def daily(*tasks, **fields) -> SerializedDag:
    return SerializedDag(
        "d",
        dialect="2",
        timetable=serialize_timetable(CronDataIntervalTimetable("@daily", timezone="UTC")),
        start_at=datetime(2026, 1, 1, tzinfo=UTC),
        relative_fileloc="d.py",
        is_paused_upon_creation=False,
        tasks=list(tasks),
        **fields,
    )


def run_of_day(house, day: int) -> None:
    start = datetime(2026, 1, day, tzinfo=UTC)
    house.run(
        f"day {day}",
        run_type="scheduled",
        logical_date=start,
        data_interval_start=start,
        data_interval_end=start + DAY,
    )


def messages(house) -> list[dict]:
    return [row.payload for row in house.store.outbox.take(house.now)]


def test_the_second_point_after_the_last_success_is_late_when_its_sla_is_over(house, task):
    """The example of section 10.4: last done 01-10, sla 1 h, now 01-12T02:00, so 01-12 is late."""
    house.save("d.py", daily(task("a", sla_s=3600.0, email=["a@x.y"]), callbacks=["sla_miss"]))
    run_of_day(house, 10)
    [claim] = house.claim()
    house.finish(claim)

    assert house.store.slas.check(datetime(2026, 1, 12, 0, 59, tzinfo=UTC)) == []
    assert house.store.slas.check(datetime(2026, 1, 12, 2, tzinfo=UTC)) == ["d"]
    assert house.store.slas.check(datetime(2026, 1, 12, 3, tzinfo=UTC)) == []
    house.now = datetime(2026, 1, 12, 4, tzinfo=UTC)
    [told] = messages(house)
    assert told["missed"] == [["a", "2026-01-12T00:00:00+00:00"]]
    assert told["addresses"] == ["a@x.y"]


def test_what_blocks_a_late_run_is_named(house, task):
    house.save("d.py", daily(task("a", sla_s=60.0), task("b"), callbacks=["sla_miss"]))
    run_of_day(house, 10)
    for claim in house.claim():
        house.finish(claim)
    run_of_day(house, 12)

    house.store.slas.check(datetime(2026, 1, 13, 12, tzinfo=UTC))

    house.now = datetime(2026, 1, 14, tzinfo=UTC)
    [told] = messages(house)
    assert [one[:2] for one in told["missed"]] == [
        ["a", "2026-01-12T00:00:00+00:00"],
        ["a", "2026-01-13T00:00:00+00:00"],
    ]
    assert [one[0] for one in told["blocking"]] == ["a", "b"]


def test_a_dag_without_sla_or_paused_is_not_looked_at(house, task):
    house.save("d.py", daily(task("a", email=["a@x.y"])))
    run_of_day(house, 10)
    [claim] = house.claim()
    house.finish(claim)

    assert house.store.slas.check(datetime(2026, 2, 1, tzinfo=UTC)) == []


def late(kind: str, seconds: float = 60.0) -> SerializedDag:
    deadline = SerializedDeadline(kind, seconds, name="late", max_runs=2, min_runs=1)
    return daily(deadlines=[deadline])


def with_tasks(dag: SerializedDag, *tasks) -> SerializedDag:
    dag.tasks.extend(tasks)
    assert encode(dag)
    return dag


def test_a_deadline_waits_until_the_run_is_late(house, task):
    house.save("d.py", with_tasks(late("queued_at"), task("a")))
    house.run()

    assert messages(house) == []
    house.pass_time(seconds=61)
    [told] = messages(house)
    assert (told["name"], told["index"], told["run_id"]) == ("late", 0, "r")


def test_a_run_that_ends_in_time_takes_its_deadline_back(house, task):
    house.save("d.py", with_tasks(late("queued_at"), task("a")))
    house.run()
    [claim] = house.claim()
    house.finish(claim)

    house.pass_time(hours=1)

    assert house.run_state() == "success"
    assert messages(house) == []


def test_a_clear_begins_the_time_since_queueing_anew(house, task):
    from tradewind.database.selections import Selection

    house.save("d.py", with_tasks(late("queued_at"), task("a")))
    house.run()
    [claim] = house.claim()
    house.finish(claim)
    house.pass_time(hours=1)
    house.store.task_instances.clear(Selection("d", run_ids=["r"]), house.now, "user:ada")

    assert messages(house) == []
    house.pass_time(seconds=61)
    assert len(messages(house)) == 1


def test_the_mean_of_earlier_runs_is_waited_for(house, task):
    house.save("d.py", with_tasks(late("average_runtime", 0.0), task("a")))
    house.run("first")
    [claim] = house.claim()
    house.pass_time(minutes=10)
    house.finish(claim)
    house.run("second")

    house.pass_time(minutes=9)
    assert messages(house) == []
    house.pass_time(minutes=2)
    [told] = messages(house)
    assert told["run_id"] == "second"


def test_the_deadline_of_an_own_reference_is_asked_for_at_once_and_waited_for(house, task):
    house.save("d.py", with_tasks(late("own"), task("a")))
    house.run()

    [row] = house.store.outbox.take(house.now)
    assert (row.payload["deadline_at"], row.payload["interval_s"]) == ("", 60.0)
    at = house.now + timedelta(hours=1)
    house.store.outbox.put_off(row.id, at)

    house.pass_time(minutes=59)
    assert messages(house) == []
    house.pass_time(minutes=2)
    [told] = messages(house)
    assert told["deadline_at"] == at.isoformat()


def test_a_run_that_ends_before_the_deadline_of_an_own_reference_takes_it_back(house, task):
    house.save("d.py", with_tasks(late("own"), task("a")))
    house.run()
    [row] = house.store.outbox.take(house.now)
    house.store.outbox.put_off(row.id, house.now + timedelta(hours=1))

    [claim] = house.claim()
    house.finish(claim)
    house.pass_time(hours=2)

    assert messages(house) == []


@pytest.mark.parametrize(("kind", "times"), [("own", 1), ("own_of_queueing", 2)])
def test_a_clear_asks_an_own_reference_again_where_it_counts_from_queueing(
    house, task, kind, times
):
    from tradewind.database.selections import Selection

    house.save("d.py", with_tasks(late(kind), task("a")))
    house.run()
    [row] = house.store.outbox.take(house.now)
    house.store.outbox.done(row.id)
    house.store.task_instances.clear(Selection("d", run_ids=["r"]), house.now, "user:ada")

    assert len(messages(house)) == times - 1
