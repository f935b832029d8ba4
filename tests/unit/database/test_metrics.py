"""The event log is counted once, by whoever comes first."""

from __future__ import annotations

from tradewind.database.gauges import read_gauges
from tradewind.database.store import Store


def run_one(house, task) -> None:
    house.store.metrics.count_events(house.now)  # counting begins here
    house.add(task("a"))
    house.run()
    [claim] = house.claim()
    house.pass_time(seconds=4)
    house.finish(claim)


def counters(house) -> dict[str, float]:
    return {name: value for name, _, value in house.store.metrics.counters()}


def test_what_a_run_did_is_counted_and_kept(house, task):
    run_one(house, task)
    house.pass_time(seconds=3)

    found = house.store.metrics.count_events(house.now)

    assert {one.name: one.value for one in found}["task.duration"] == 4000
    kept = counters(house)
    assert kept["ti.start"] == kept["ti.finish"] == kept["ti_successes"] == 1
    assert kept["task.duration.sum"] == 4000
    assert kept["task.duration.count"] == 1
    assert kept["dagrun.duration.success.count"] == 1
    assert kept["task_instance_created"] == 1


def test_nothing_is_counted_twice_also_by_another_scheduler(house, task, settings):
    run_one(house, task)
    house.pass_time(seconds=3)
    other = Store(settings)
    try:
        first = house.store.metrics.count_events(house.now)
        again = [
            *house.store.metrics.count_events(house.now),
            *other.metrics.count_events(house.now),
        ]
    finally:
        other.close()

    assert first
    assert again == []
    assert counters(house)["ti.finish"] == 1


def test_what_happened_just_now_is_left_for_the_next_look(house, task):
    run_one(house, task)

    assert {one.name for one in house.store.metrics.count_events(house.now)} <= {
        "ti.start",
        "task.queued_duration",
        "task.scheduled_duration",
        "dagrun.schedule_delay",
        "task_instance_created",
    }


def test_gauges_tell_what_waits_for_a_pool_and_what_has_room(house, task):
    house.store.pools.set("narrow", 1, now=house.now, actor="user:test")
    house.add(task("a", pool="narrow"), task("b", pool="narrow"), task("c"))
    house.run()
    house.claim()

    found = {
        (name, tags.get("pool_name")): value
        for name, value, tags in read_gauges(house.store, house.now)
    }

    assert found["pool.running_slots", "narrow"] == 1
    assert found["pool.open_slots", "narrow"] == 0
    assert found["pool.starving_tasks", "narrow"] == 1
    assert found["scheduler.tasks.starving", None] == 1
    assert found["executor.running_tasks", None] == 2
    assert found["dagbag_size", None] == 1
