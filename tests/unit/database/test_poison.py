"""A task instance that takes one worker after the other with it is stopped (reliability B11)."""

from __future__ import annotations

import pytest
from tradewind.database.selections import Selection


def die(house, *, has_begun: bool = True) -> None:
    """Let the runner claim what is queued, and then be found dead."""
    [claim] = house.claim()
    if not has_begun:
        held = (claim.task_instance_id, claim.epoch, claim.claim_id)
        house.store.attempts.give_back([held], house.now, "its runner died", has_died=True)
    house.store.workers.declare_dead(house.worker_id, house.now, "its process is gone")
    house.worker_id += "+"
    house.register(house.worker_id)
    house.pass_time(seconds=1)
    house.store.runs.advance(house.store.runs.due_ids(house.now), house.now)


@pytest.mark.parametrize("has_begun", [True, False])
def test_the_third_dead_worker_in_a_row_fails_it_whatever_its_retries(house, task, has_begun):
    house.add(task("a", retries=9, retry_delay_s=0.0))
    house.run()

    die(house, has_begun=has_begun)
    die(house, has_begun=has_begun)
    assert house.one("a").state == "queued"
    die(house, has_begun=has_begun)

    assert house.one("a").state == "failed"
    assert house.one("a").state_reason.startswith("poison: what ran it died 3 times: ")


def test_a_try_that_ended_by_itself_between_two_deaths_starts_the_count_anew(house, task):
    house.add(task("a", retries=9, retry_delay_s=0.0))
    house.run()
    die(house)
    die(house)
    [claim] = house.claim()
    house.finish(claim, "failed")
    house.pass_time(seconds=1)
    house.store.runs.advance(house.store.runs.due_ids(house.now), house.now)

    die(house)

    assert house.one("a").state == "queued"


def test_a_person_who_clears_it_gives_it_three_workers_again(house, task):
    house.add(task("a", retries=2, retry_delay_s=0.0))
    house.run()
    for _ in range(3):
        die(house)
    assert house.one("a").state == "failed"

    house.store.task_instances.clear(Selection("d", task_ids=["a"]), house.now, "user:x")
    house.store.attempts.queue(house.now)
    die(house)

    assert house.one("a").state == "queued"


def test_what_a_living_runner_gives_back_counts_as_no_death(house, task):
    house.add(task("a"))
    house.run()

    for _ in range(5):
        [claim] = house.claim()
        held = (claim.task_instance_id, claim.epoch, claim.claim_id)
        house.store.attempts.give_back([held], house.now, "cannot fork")

    assert house.one("a").state == "queued"
