"""What one commit does to the rest of a run: mapping, branches, the past, time, bad rows."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from tradewind.database import settle
from tradewind.database.values import XComWrite
from tradewind.sdk.serialized import Expansion, Length


def mapped(task, *, over="a", task_id="m"):
    length = Length("xcom", task_id=over)
    return task(task_id, over, expansion=Expansion([length], ["x"]))


def test_a_mapped_task_gets_its_instances_from_the_length_of_a_result(house, task):
    house.add(task("a"), mapped(task), task("z", "m"))
    house.run()
    [claim] = house.claim()

    finished = house.finish(claim, limit=9, xcoms=[XComWrite("return_value", "[7, 8, 9]", 3)])

    assert [(one.task_id, one.map_index) for one in finished.claims] == [
        ("m", 0),
        ("m", 1),
        ("m", 2),
    ]
    assert finished.claims[0].mapped_lengths == (3,)
    for one in finished.claims:
        last = house.finish(one, limit=9)
    [final] = last.claims
    assert dict(final.upstream_counts) == {"m": 3}


def test_mapping_over_nothing_skips(house, task):
    house.add(task("a"), mapped(task))
    house.run()
    [claim] = house.claim()

    house.finish(claim, xcoms=[XComWrite("return_value", "[]", 0)])

    assert house.states() == {"a": "success", "m": "skipped"}
    assert house.run_state() == "success"


def test_a_branch_skips_what_it_did_not_choose_in_the_same_commit(house, task):
    house.add(task("b", can_skip_downstream=True), task("x", "b"), task("y", "b"), task("z", "y"))
    house.run()
    [claim] = house.claim()

    finished = house.finish(
        claim,
        limit=9,
        skip_task_ids=["y"],
        xcoms=[XComWrite("skipmixin_key", json.dumps({"followed": ["x"]}))],
    )

    assert [one.task_id for one in finished.claims] == ["x"]
    assert house.states() == {"b": "success", "x": "running", "y": "skipped", "z": "skipped"}


def test_a_cleared_leaf_of_a_branch_is_skipped_again(house, task):
    from tradewind.database.selections import Selection

    test_a_branch_skips_what_it_did_not_choose_in_the_same_commit(house, task)

    house.store.task_instances.clear(
        Selection("d", run_ids=["r"], task_ids=["y"]), house.now, "user:me"
    )

    assert house.states()["y"] == "skipped"


def test_empty_operators_never_need_a_process(house, task):
    house.add(task("start", is_empty=True), task("a", "start"), task("end", "a", is_empty=True))
    house.run()

    [claim] = house.claim()
    assert claim.task_id == "a"
    house.finish(claim)

    assert house.run_state() == "success"
    assert house.one("start").try_number == 1


def test_a_task_that_waits_for_the_past_goes_on_when_the_run_before_it_ends(house, task):
    house.add(task("a", depends_on_past=True))
    house.run("r1", logical_date=house.now, run_type="scheduled")
    house.run("r2", logical_date=house.now + timedelta(days=1), run_type="scheduled")
    [first] = house.claim()
    assert first.run_id == "r1"

    finished = house.finish(first, limit=1)

    assert [one.run_id for one in finished.claims] == ["r2"]


def test_the_past_lets_go_even_where_the_run_before_goes_on(house, task):
    house.add(task("a", depends_on_past=True), task("slow"))
    house.run("r1", logical_date=house.now, run_type="scheduled")
    house.run("r2", logical_date=house.now + timedelta(days=1), run_type="scheduled")
    claims = {(one.run_id, one.task_id): one for one in house.claim()}
    assert ("r2", "a") not in claims

    finished = house.finish(claims["r1", "a"], limit=9)

    assert [(one.run_id, one.task_id) for one in finished.claims] == [("r2", "a")]


def test_a_run_over_its_timeout_fails_and_its_process_is_fenced(house, task):
    house.add(task("a"), dagrun_timeout_s=60)
    number = house.run()
    house.claim()
    assert house.store.runs.next_timer_at(house.now) is not None
    house.pass_time(seconds=61)

    house.store.runs.advance(house.store.runs.due_ids(house.now), house.now)

    assert (house.run_state(), house.states()) == ("failed", {"a": "skipped"})
    assert house.store.runs.by_id(number).state_reason == "timed_out"
    assert len(house.store.attempts.find_fenced("worker-1")) == 1


def test_a_rescheduled_task_keeps_its_try_and_frees_its_slot(house, task):
    house.add(task("a"))
    number = house.run()
    [claim] = house.claim()
    due_at = house.now + timedelta(seconds=30)

    house.finish(claim, "rescheduled", due_at=due_at)

    assert house.states() == {"a": "up_for_reschedule"}
    assert house.store.runs.next_timer_at(house.now) == due_at
    house.pass_time(seconds=30)
    house.store.runs.advance([number], house.now)
    [again] = house.claim()
    assert (again.try_number, again.reschedule_count) == (1, 1)
    assert again.first_reschedule_at == claim.dag_run["started_at"]
    assert again.epoch == claim.epoch + 1


def test_fail_fast_stops_the_rest_of_the_run(house, task):
    house.add(task("bad"), task("runs"), task("waits", "runs"), is_fail_fast=True)
    house.run()
    claims = {one.task_id: one for one in house.claim()}

    house.finish(claims["bad"], "failed")

    assert house.states() == {"bad": "failed", "runs": "failed", "waits": "skipped"}


def test_a_run_that_cannot_be_decided_does_not_keep_results_from_being_stored(
    house, task, monkeypatch
):
    house.add(task("a"), task("b", "a"))
    house.add(task("a"), task("b", "a"), dag_id="poison")
    house.run()
    number = house.run(dag_id="poison")
    claims = {one.dag_id: one for one in house.claim()}
    decide = settle.decide

    def poisoned(snapshot, now):
        if snapshot.dag_id == "poison":
            raise ZeroDivisionError("made for this test")
        return decide(snapshot, now)

    monkeypatch.setattr(settle, "decide", poisoned)

    house.finish(claims["poison"])
    finished = house.finish(claims["d"], limit=9)

    assert house.states(dag_id="poison") == {"a": "success", "b": "none"}
    assert [one.dag_id for one in finished.claims] == ["d"]
    monkeypatch.setattr(settle, "decide", decide)
    house.pass_time(seconds=61)
    assert house.store.runs.due_ids(house.now) == [number]
    house.store.runs.advance([number], house.now)
    assert house.states(dag_id="poison")["b"] == "queued"


def test_an_unknown_outcome_is_a_failure_and_never_refused(house, task):
    house.add(task("a"))
    house.run()
    [claim] = house.claim()

    house.finish(claim, "what is this")

    assert house.states() == {"a": "failed"}


@pytest.mark.parametrize("blocked_count", [10, 200])
def test_what_a_limit_holds_back_hides_nobody_behind_it(house, task, blocked_count):
    house.add(
        *[task(f"t{i}", effective_priority_weight=9) for i in range(blocked_count)],
        dag_id="wide",
        max_active_tasks=1,
    )
    house.add(task("small"), dag_id="small")
    house.run(dag_id="wide")
    house.run(dag_id="small")

    assert sorted(one.dag_id for one in house.claim()) == ["small", "wide"]


def test_the_most_urgent_task_instances_are_claimed_first(house, task):
    house.add(*[task(f"w{weight}", effective_priority_weight=weight) for weight in (1, 3, 2)])
    house.run()

    assert [one.task_id for one in house.claim(2)] == ["w3", "w2"]
