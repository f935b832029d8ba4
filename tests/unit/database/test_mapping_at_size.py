"""A task with very many instances: made ready in batches, decided upon when it matters."""

from __future__ import annotations

import pytest
from tradewind.database.values import AttemptResult
from tradewind.planning.siblings import READY_AHEAD_MAX
from tradewind.sdk.serialized import Expansion, Length, SerializedTask

COUNT = READY_AHEAD_MAX + 100


def mapped(task_id: str, count: int, **fields) -> SerializedTask:
    expansion = Expansion([Length("literal", count=count)], ["x"])
    return SerializedTask(task_id, "PythonOperator", expansion=expansion, **fields)


def below(task_id: str, upstream: str, rule: str = "all_success") -> SerializedTask:
    return SerializedTask(
        task_id, "PythonOperator", upstream_task_ids=[upstream], trigger_rule=rule
    )


def count(house, *states: str) -> int:
    return sum(state in states for state in house.states().values())


@pytest.fixture
def wide(house):
    house.register(slots=COUNT)
    house.add(mapped("m", COUNT), below("end", "m"), max_active_tasks=COUNT)
    house.run()
    return house


def test_only_so_many_instances_are_made_ready_ahead(wide):
    assert count(wide, "scheduled", "queued") == READY_AHEAD_MAX
    assert count(wide, "none") == 101  # and the task below


def test_all_of_them_run_and_what_follows_them_after_the_last(wide):
    done = 0
    while done < COUNT:
        claims = wide.claim(limit=200)
        assert claims, f"nothing is ready after {done}"
        assert {claim.task_id for claim in claims} == {"m"}
        results = [
            AttemptResult(one.task_instance_id, one.epoch, one.claim_id, "success")
            for one in claims
        ]
        wide.store.attempts.finish(results, wide.now)
        done += len(results)

    assert [claim.task_id for claim in wide.claim()] == ["end"]


def test_with_two_left_one_that_succeeds_lets_nothing_follow_and_the_last_one_does(house):
    house.register()
    house.add(mapped("m", 2), below("end", "m"))
    house.run()
    first, last = house.claim()

    house.finish(first)
    assert house.states()["end"] == "none"
    house.finish(last)
    assert house.states()["end"] == "queued"


@pytest.mark.parametrize(
    ("rule", "state"),
    [("one_success", "queued"), ("one_done", "queued"), ("all_failed", "skipped")],
)
def test_a_rule_that_one_success_satisfies_is_asked_at_once(house, rule, state):
    house.register()
    house.add(mapped("m", 2), below("end", "m", rule))
    house.run()

    house.finish(house.claim()[0])

    assert house.states()["end"] == state


def test_a_failure_is_felt_at_once(house):
    house.register()
    house.add(mapped("m", 2), below("end", "m"))
    house.run()

    house.finish(house.claim()[0], "failed")

    assert house.states()["end"] == "upstream_failed"
