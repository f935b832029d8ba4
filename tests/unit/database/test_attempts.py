"""A run end to end, fencing, limits."""

from __future__ import annotations

from datetime import timedelta

import pytest


def test_a_chain_runs_from_result_to_next_claim_in_one_operation(house, task):
    house.add(task("a"), task("b", "a"))
    house.run()

    [first] = house.claim()
    finished = house.finish(first, limit=4)

    assert first.task_id == "a"
    assert first.try_number == 1
    assert [claim.task_id for claim in finished.claims] == ["b"]
    assert house.states() == {"a": "success", "b": "running"}
    house.finish(finished.claims[0])
    assert house.run_state() == "success"


def test_a_late_result_changes_nothing_but_its_history_row(house, task):
    house.add(task("a", retries=1))
    house.run()
    [claim] = house.claim()
    house.store.workers.declare_dead("worker-1", house.now, "killed")
    assert house.states() == {"a": "up_for_retry"}
    before = house.one("a")

    finished = house.finish(claim, "success")

    assert finished.outcomes[0].is_fenced
    assert house.one("a") == before
    [kept] = house.store.task_instances.tries("d", "r", "a")
    assert kept.state == "lost"


def test_a_result_with_another_claim_id_is_fenced(house, task):
    house.add(task("a"))
    house.run()
    [claim] = house.claim()
    from dataclasses import replace

    finished = house.finish(replace(claim, claim_id="somebody else"))

    assert finished.outcomes[0].is_fenced
    assert house.states() == {"a": "running"}


def test_a_failed_try_waits_for_its_retry_and_then_runs_again(house, task):
    house.add(task("a", retries=1, retry_delay_s=60))
    number = house.run()
    [claim] = house.claim()

    house.finish(claim, "failed", reason="exit code 1", exit_code=1)

    waiting = house.one("a")
    assert (waiting.state, waiting.try_number) == ("up_for_retry", 1)
    wake_at = house.store.runs.next_timer_at(house.now)
    assert wake_at is not None
    house.pass_time(seconds=61)
    assert wake_at <= house.now
    assert house.store.runs.due_ids(house.now) == [number]
    house.store.runs.advance([number], house.now)
    [second] = house.claim()
    assert (second.try_number, second.epoch) == (2, 2)
    house.finish(second, "failed")
    assert house.run_state() == "failed"
    assert [kept.state for kept in house.store.task_instances.tries("d", "r", "a")] == [
        "up_for_retry",
        "failed",
    ]


def test_a_try_whose_code_never_began_is_given_back(house, task):
    house.add(task("a"))
    house.run()
    [claim] = house.claim()

    house.store.attempts.give_back(
        [(claim.task_instance_id, claim.epoch, claim.claim_id)], house.now, "cannot fork"
    )

    assert (house.one("a").try_number, house.one("a").state) == (1, "queued")
    [again] = house.claim()
    assert (again.try_number, again.epoch) == (1, 2)


@pytest.mark.parametrize(("slots_each", "expected"), [(1, 3), (2, 1)])
def test_a_pool_is_never_overfilled(house, task, slots_each, expected):
    with house.store.database.write() as connection:
        connection.exec_driver_sql("INSERT INTO pool VALUES ('small', 3, '', false)")
    house.add(*[task(f"t{i}", pool="small", pool_slots=slots_each) for i in range(6)])
    house.run()

    claims = house.claim()

    assert len(claims) == expected
    finished = house.finish(claims[0], limit=10)
    assert len(finished.claims) == 1


def test_max_active_tasks_counts_in_one_run(house, task):
    house.add(*[task(f"t{i}") for i in range(5)], max_active_tasks=2)
    house.run("r1")
    house.run("r2")

    assert len(house.claim()) == 4


def test_max_active_runs_holds_back_the_third_run(house, task):
    house.add(task("a"), max_active_runs=2)
    for name in ("r1", "r2", "r3"):
        house.run(name)

    assert [house.run_state(name) for name in ("r1", "r2", "r3")] == [
        "running",
        "running",
        "queued",
    ]
    claims = {claim.run_id: claim for claim in house.claim()}
    house.finish(claims["r1"])
    assert house.run_state("r3") == "running"


def test_a_claim_nobody_took_is_handed_out_again_with_a_new_epoch(house, task):
    house.add(task("a"))
    house.run()
    house.pass_time(seconds=61)
    house.store.workers.renew("worker-1", house.now)

    assert house.store.attempts.expire_claims(house.now) == 1

    house.store.attempts.queue(house.now)
    [claim] = house.claim()
    assert (claim.try_number, claim.epoch) == (1, 2)


def test_a_queued_task_stays_queued_while_no_worker_has_room(house, task):
    house.add(task("a"))
    house.run()
    house.store.workers.stop("worker-1", house.now, "stopped")
    house.pass_time(seconds=600)

    assert house.store.attempts.expire_claims(house.now) == 0
    assert house.states() == {"a": "queued"}


def test_a_worker_that_renewed_after_it_was_judged_keeps_its_lease(house, task):
    house.add(task("a"))
    house.run()
    house.claim()
    judged = {one.id: one.lease_until_at for one in house.store.workers.list()}
    house.store.workers.renew("worker-1", house.now + timedelta(seconds=1))

    # Whoever judged was stopped, and comes with an instant that the clock has long left.
    assert house.store.workers.expire(judged, house.now + timedelta(days=1)) == []
    assert house.states() == {"a": "running"}


def test_a_worker_whose_lease_ran_out_loses_its_attempts_and_cannot_renew(house, task):
    house.add(task("a"))
    house.run()
    house.claim()
    leases = {one.id: one.lease_until_at for one in house.store.workers.list()}
    house.pass_time(seconds=32)
    assert house.store.workers.expire(leases, house.now) == []
    house.pass_time(seconds=2)

    assert house.store.workers.expire(leases, house.now) == ["worker-1"]

    assert not house.store.workers.renew("worker-1", house.now)
    assert house.states() == {"a": "failed"}
    assert house.run_state() == "failed"


def test_a_worker_whose_lease_is_over_gets_no_claims(house, task):
    house.add(task("a"))
    house.run()
    house.store.workers.stop("worker-1", house.now, "stopped")

    assert house.claim() == []
    assert house.states() == {"a": "queued"}
