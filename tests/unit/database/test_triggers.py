"""Deferred task instances: who watches their triggers, and how they go on."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from tradewind.database.selections import Selection
from tradewind.database.values import TriggerFired, WorkerIdentity
from tradewind.sdk.serialized import SerializedTask

WANTED = {
    "class_path": "a.Trigger",
    "kwargs": '{"secret":"s3cr3t"}',
    "next_method": "go_on",
    "next_kwargs": '{"x":1}',
    "timeout_s": 100.0,
}


def defer(house, **wanted):
    """Run the task "a" of the run "r" until it defers itself."""
    house.add(
        SerializedTask("a", "Operator", retries=1),
        SerializedTask("b", "Operator", upstream_task_ids=["a"]),
    )
    house.register()
    house.run()
    house.store.attempts.queue(house.now)
    (claim,) = house.claim()
    house.finish(claim, "deferred", trigger={**WANTED, **wanted})
    return claim


def begin(house, worker_id="t1"):
    house.store.workers.register(
        WorkerIdentity(worker_id, "host", "boot", 2, 1.0, "Triggerer", slots=10), house.now
    )
    return house.store.triggers.claim(worker_id, 10, house.now)


def instance(house, task_id="a"):
    return house.store.task_instances.get("d", "r", task_id)


def resumed(house):
    (claim,) = house.claim()
    return claim.next_method, json.loads(claim.next_kwargs), claim.try_number


def test_a_trigger_is_claimed_once_with_its_arguments(house):
    defer(house)

    (trigger,) = begin(house)

    assert (trigger.class_path, json.loads(trigger.kwargs)) == ("a.Trigger", {"secret": "s3cr3t"})
    assert (trigger.dag_id, trigger.run_id, trigger.task_id) == ("d", "r", "a")
    assert begin(house, "t2") == []


def test_arguments_are_not_stored_as_plain_text(house):
    defer(house)

    with house.store.database.read() as connection:
        (stored,) = connection.exec_driver_sql("SELECT kwargs FROM trigger").one()

    assert "s3cr3t" not in stored


def test_an_event_lets_the_task_go_on_in_the_same_try(house):
    defer(house)
    (trigger,) = begin(house)

    assert house.store.triggers.fire([TriggerFired(trigger.id, '{"n":2}')], house.now) == 1

    assert instance(house).state == "queued"
    assert resumed(house) == ("go_on", {"x": 1, "event": {"n": 2}}, 1)
    assert house.store.triggers.held("t1") == set()


def test_a_second_event_changes_nothing(house):
    defer(house)
    (trigger,) = begin(house)
    house.store.triggers.fire([TriggerFired(trigger.id, "1")], house.now)

    assert house.store.triggers.fire([TriggerFired(trigger.id, "2")], house.now) == 0
    assert resumed(house)[1]["event"] == 1


def test_a_failed_trigger_lets_the_task_end_in_an_error(house):
    defer(house)
    (trigger,) = begin(house)

    house.store.triggers.fail({trigger.id: "Traceback"}, house.now)

    method, told, _ = resumed(house)
    assert (method, told) == ("__fail__", {"error": "Trigger failure", "traceback": "Traceback"})


def test_a_deferral_that_takes_too_long_is_ended_without_a_triggerer(house):
    defer(house)

    house.pass_time(seconds=99)
    assert house.store.triggers.expire(house.now) == 0
    house.pass_time(seconds=1)
    assert house.store.triggers.expire(house.now) == 1

    assert resumed(house)[:2] == ("__fail__", {"error": "Trigger timeout"})


@pytest.mark.parametrize("state", ["success", "skipped", "failed"])
def test_an_event_can_end_the_task_without_a_process(house, state):
    defer(house)
    (trigger,) = begin(house)

    house.store.triggers.fire(
        [TriggerFired(trigger.id, "null", state, {"k": ('"v"', None)})], house.now
    )

    assert instance(house).state == state
    after = {"success": "queued", "skipped": "skipped", "failed": "upstream_failed"}
    assert instance(house, "b").state == after[state]


def test_a_cleared_task_instance_leaves_no_trigger(house):
    defer(house)
    (trigger,) = begin(house)
    assert house.store.triggers.held("t1") == {trigger.id}

    house.store.task_instances.clear(Selection("d", run_ids=["r"]), house.now, "user:me")

    assert house.store.triggers.held("t1") == set()
    assert house.store.triggers.fire([TriggerFired(trigger.id, "1")], house.now) == 0


def test_the_triggers_of_a_dead_triggerer_go_to_another(house):
    defer(house)
    begin(house)

    house.store.workers.declare_dead("t1", house.now, "its process is gone")

    assert len(begin(house, "t2")) == 1


def test_the_time_limit_of_the_task_ends_a_deferral_too(house):
    house.add(SerializedTask("a", "Operator", execution_timeout_s=30.0))
    house.register()
    house.run()
    house.store.attempts.queue(house.now)
    (claim,) = house.claim()
    house.finish(claim, "deferred", trigger=WANTED)

    house.pass_time(seconds=30)

    assert house.store.triggers.expire(house.now) == 1


def test_a_task_can_start_from_its_trigger(house):
    house.add(SerializedTask("a", "Operator", start_trigger=WANTED))
    number = house.run()

    house.store.runs.advance([number], house.now)

    assert (instance(house).state, instance(house).try_number) == ("deferred", 1)
    (trigger,) = begin(house)
    assert trigger.timeout_at == house.now + timedelta(seconds=100)
    house.register()
    house.store.triggers.fire([TriggerFired(trigger.id, "5")], house.now)
    assert resumed(house) == ("go_on", {"x": 1, "event": 5}, 1)


def test_a_try_after_a_failed_deferral_begins_anew(house):
    defer(house)
    (trigger,) = begin(house)
    house.store.triggers.fail({trigger.id: "x"}, house.now)
    (claim,) = house.claim()

    house.finish(claim, "failed")
    house.pass_time(hours=1)
    house.store.runs.advance(house.store.runs.due_ids(house.now), house.now)
    house.store.attempts.queue(house.now)
    (again,) = house.claim()

    assert (again.try_number, again.next_method) == (2, None)
