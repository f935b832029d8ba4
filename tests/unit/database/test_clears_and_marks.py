"""Acts of people on task instances and runs (semantics 5.12 and 5.13)."""

from __future__ import annotations

import pytest
from tradewind.database.errors import DagRunNotFound, NotAllowed
from tradewind.database.selections import Selection


def clear(house, **conditions):
    return house.store.task_instances.clear(Selection("d", **conditions), house.now, "user:me")


def mark(house, state, **conditions):
    return house.store.task_instances.mark(
        Selection("d", **conditions), state, house.now, "user:me"
    )


def finish_run(house, outcome="success"):
    while claims := house.claim():
        for claim in claims:
            house.finish(claim, outcome)


def test_a_cleared_failure_has_all_its_tries_again(house, task):
    house.add(task("a", retries=1, retry_delay_s=0))
    number = house.run()
    for _ in range(2):
        [claim] = house.claim()
        house.finish(claim, "failed")
        house.pass_time(seconds=1)
        house.store.runs.advance([number], house.now)
    assert house.run_state() == "failed"

    clear(house, run_ids=["r"])

    cleared = house.one("a")
    assert (cleared.try_number, cleared.tries_max) == (3, 3)
    assert house.run_state() == "running"
    [claim] = house.claim()
    assert claim.try_number == 3
    assert len(house.store.task_instances.tries("d", "r", "a")) == 3


def test_a_cleared_running_task_restarts_when_its_process_is_gone(house, task):
    house.add(task("a"))
    house.run()
    [claim] = house.claim()

    clear(house, run_ids=["r"])

    assert house.states() == {"a": "restarting"}
    [fenced] = house.store.attempts.find_fenced("worker-1")
    assert (fenced.epoch, fenced.claim_id) == (claim.epoch, claim.claim_id)
    finished = house.finish(claim, "success", limit=1)
    assert finished.outcomes[0].is_fenced
    [again] = finished.claims
    assert (again.try_number, again.epoch) == (2, 3)
    assert house.store.attempts.find_fenced("worker-1") == []


def test_a_restarting_task_of_a_dead_worker_restarts_too(house, task):
    house.add(task("a"))
    house.run()
    house.claim()
    clear(house, run_ids=["r"])

    house.store.workers.declare_dead("worker-1", house.now, "killed")

    house.store.attempts.queue(house.now)
    assert house.states() == {"a": "queued"}


def test_clearing_downstream_reaches_everything_below(house, task):
    house.add(task("a"), task("b", "a"), task("c", "b"), task("other"))
    house.run()
    finish_run(house)
    assert house.run_state() == "success"

    cleared = clear(house, run_ids=["r"], task_ids=["b"], include_downstream=True)

    assert [row.task_id for row in cleared] == ["b", "c"]
    assert house.states() == {"a": "success", "b": "queued", "c": "none", "other": "success"}


def test_a_dry_run_clears_nothing(house, task):
    house.add(task("a"))
    house.run()
    finish_run(house)

    found = house.store.task_instances.clear(
        Selection("d", run_ids=["r"]), house.now, "user:me", dry_run=True
    )

    assert [row.task_id for row in found] == ["a"]
    assert house.states() == {"a": "success"}


def test_only_failed_leaves_the_rest_alone(house, task):
    house.add(task("a"), task("b"))
    house.run()
    first, second = house.claim()
    house.finish(first)
    house.finish(second, "failed_final")

    cleared = clear(house, run_ids=["r"], only_failed=True)

    assert [row.task_id for row in cleared] == [second.task_id]


def test_a_clear_moves_the_run_to_the_newest_version(house, task):
    house.add(task("a"), task("gone"))
    house.run()
    finish_run(house)
    house.add(task("a", pool_slots=2), task("new", "a"))

    clear(house, run_ids=["r"], task_ids=["a"])

    assert house.states() == {"a": "queued", "gone": "success", "new": "none"}
    assert house.one("a").pool_slots == 2


def test_a_run_keeps_its_version_until_then(house, task):
    house.add(task("a"), task("b", "a"))
    house.run()
    [claim] = house.claim()
    house.add(task("a"), task("c", "a"))

    finished = house.finish(claim, limit=2)

    assert [one.task_id for one in finished.claims] == ["b"]


def test_clearing_in_an_unknown_run_says_so(house, task):
    house.add(task("a"))

    with pytest.raises(DagRunNotFound, match="has no run 'nope'"):
        clear(house, run_ids=["nope"])


def test_marking_failed_fences_the_running_process(house, task):
    house.add(task("a"), task("b", "a"))
    house.run()
    [claim] = house.claim()

    mark(house, "failed", run_ids=["r"], task_ids=["a"])

    assert house.states() == {"a": "failed", "b": "upstream_failed"}
    assert house.run_state() == "failed"
    assert len(house.store.attempts.find_fenced("worker-1")) == 1
    assert house.finish(claim).outcomes[0].is_fenced
    assert house.states()["a"] == "failed"


def test_marking_success_lets_what_failed_below_run_again(house, task):
    house.add(task("a"), task("b", "a"), task("c", "b"))
    house.run()
    [claim] = house.claim()
    house.finish(claim, "failed")
    assert house.run_state() == "failed"

    mark(house, "success", run_ids=["r"], task_ids=["a"])

    assert house.states() == {"a": "success", "b": "queued", "c": "none"}
    assert house.run_state() == "running"


def test_nobody_can_mark_a_task_running(house, task):
    house.add(task("a"))
    house.run()

    with pytest.raises(NotAllowed):
        mark(house, "running", run_ids=["r"])


def test_marking_a_run_success_skips_what_never_began(house, task):
    house.add(task("a"), task("b", "a"))
    house.run()
    house.claim()

    house.store.runs.set_state("d", "r", "success", house.now, "user:me")

    assert house.states() == {"a": "success", "b": "skipped"}
    assert house.run_state() == "success"


def test_marking_a_run_failed_waits_for_its_teardown(house, task):
    house.add(
        task("s", is_setup=True),
        task("work", "s"),
        task("t", "work", "s", is_teardown=True, trigger_rule="all_done_setup_success"),
    )
    house.run()
    [setup] = house.claim()
    [work] = house.finish(setup, limit=1).claims

    house.store.runs.set_state("d", "r", "failed", house.now, "user:me")

    assert house.run_state() == "running"
    [teardown] = house.claim() or house.finish(work, limit=1).claims
    assert teardown.task_id == "t"
    house.finish(teardown)
    assert house.run_state() == "failed"


def test_acts_of_people_stand_in_the_event_log(house, task):
    house.add(task("a"))
    house.run()
    finish_run(house)

    clear(house, run_ids=["r"])

    [entry] = house.store.events.list(kinds=["task.cleared"])
    assert (entry.actor, entry.dag_id, entry.run_id) == ("user:me", "d", "r")
