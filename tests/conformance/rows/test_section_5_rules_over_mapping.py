"""Sections 5.3 to 5.7 over mapped tasks, mapped groups, removed instances, setups and fail_fast."""

from __future__ import annotations

import pytest
from tradewind.control.clear import ClearRequest, clear
from tradewind.control.trigger import trigger_dag
from tradewind.database.values import AttemptResult, ClaimRequest
from tradewind.operators.branch import BranchPythonOperator
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.python import PythonOperator
from tradewind.operators.short_circuit import ShortCircuitOperator
from tradewind.sdk.task_decorators import task
from tradewind.sdk.task_group import TaskGroup
from tradewind.sdk.task_group_decorator import task_group


def step(task_id, **arguments):
    return PythonOperator(task_id=task_id, python_callable=int, **arguments)


def ends(*outcomes):
    """Return how the instances of a mapped task end, by map index."""
    return lambda claim: {"s": "success", "k": "skipped", "f": "failed_final"}[
        outcomes[claim.map_index]
    ]


#: Airflow's matrix of 5.3 for two finished upstream instances.
MATRIX = {
    "all_success": {"ss": "s", "sk": "k", "sf": "u", "kk": "k", "kf": "u", "ff": "u"},
    "all_failed": {"ss": "k", "sk": "k", "sf": "k", "kk": "k", "kf": "k", "ff": "s"},
    "all_done": dict.fromkeys(("ss", "sk", "sf", "kk", "kf", "ff"), "s"),
    "always": dict.fromkeys(("ss", "sk", "sf", "kk", "kf", "ff"), "s"),
    "one_success": {"ss": "s", "sk": "s", "sf": "s", "kk": "k", "kf": "u", "ff": "u"},
    "one_failed": {"ss": "k", "sk": "k", "sf": "s", "kk": "k", "kf": "s", "ff": "s"},
    "one_done": {"ss": "s", "sk": "s", "sf": "s", "kk": "k", "kf": "s", "ff": "s"},
    "none_failed": {"ss": "s", "sk": "s", "sf": "u", "kk": "s", "kf": "u", "ff": "u"},
    "none_failed_min_one_success": {
        "ss": "s", "sk": "s", "sf": "u", "kk": "k", "kf": "u", "ff": "u",
    },
    "none_skipped": {"ss": "s", "sk": "k", "sf": "s", "kk": "k", "kf": "k", "ff": "s"},
    "all_skipped": {"ss": "k", "sk": "k", "sf": "k", "kk": "s", "kf": "k", "ff": "k"},
    "all_done_min_one_success": {
        "ss": "s", "sk": "k", "sf": "s", "kk": "k", "kf": "k", "ff": "u",
    },
}  # fmt: skip
LONG = {"s": "success", "k": "skipped", "u": "upstream_failed"}


@pytest.mark.parametrize("pair", ["ss", "sk", "sf", "kk", "kf", "ff"])
def test_a_rule_over_two_instances_of_a_mapped_task_answers_as_over_two_tasks(
    world, make_dag, pair
):
    """All ends are known at one time, so that no order decides (the footnote of 5.3)."""

    @task
    def mapped(x): ...

    with make_dag(schedule=None, max_active_tasks=100) as dag:
        above = mapped.expand(x=[1, 2])
        for rule in MATRIX:
            above >> EmptyOperator(task_id=rule, trigger_rule=rule)
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    claims = [claim for claim in world.claim() if claim.task_id == "mapped"]
    end = ends(*pair)
    world.store.attempts.finish(
        [
            AttemptResult(
                claim.task_instance_id, claim.epoch, claim.claim_id, end(claim), ended_at=world.now
            )
            for claim in claims
        ],
        world.now,
        ClaimRequest("worker", "LocalExecutor", 0),
    )
    world.work()

    states = world.states("r")
    assert {rule: states[rule] for rule in MATRIX} == {
        rule: LONG[answers[pair]] for rule, answers in MATRIX.items()
    }


#: How Airflow 3.3.2 ends a task below a mapped one that became shorter (5.3, "rm"): lengths before
#: and after, how its remaining instances end, and rule → end. ``all_skipped`` is ours: Airflow
#: would wait until the run deadlocks (docs/compatibility.md).
SHORTENED = [
    (3, 1, "success", {
        "all_done": "s", "all_done_min_one_success": "s", "all_failed": "k", "all_skipped": "k",
        "all_success": "s", "none_failed": "s", "none_failed_min_one_success": "s",
        "none_skipped": "s", "one_done": "s", "one_failed": "k", "one_success": "s",
    }),
    (3, 0, "success", {
        "all_done": "s", "all_done_min_one_success": "u", "all_failed": "s", "all_skipped": "s",
        "all_success": "s", "none_failed": "s", "none_failed_min_one_success": "u",
        "none_skipped": "s", "one_done": "k", "one_failed": "k", "one_success": "u",
    }),
    (3, 2, "failed_final", {
        "all_done": "s", "all_done_min_one_success": "u", "all_failed": "s", "all_skipped": "k",
        "all_success": "u", "none_failed": "u", "none_failed_min_one_success": "u",
        "none_skipped": "s", "one_done": "s", "one_failed": "s", "one_success": "u",
    }),
    (3, 2, "skipped", {
        "all_done": "s", "all_done_min_one_success": "k", "all_failed": "k", "all_skipped": "s",
        "all_success": "k", "none_failed": "s", "none_failed_min_one_success": "u",
        "none_skipped": "k", "one_done": "k", "one_failed": "k", "one_success": "u",
    }),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "outcome", "expected"), SHORTENED)
def test_instances_that_were_removed_count_as_airflow_counts_them(
    world, make_dag, before, after, outcome, expected
):
    @task
    def source(): ...

    @task
    def mapped(x): ...

    with make_dag(schedule=None, max_active_tasks=100) as dag:
        above = mapped.expand(x=source())
        for rule in expected:
            above >> EmptyOperator(task_id=rule, trigger_rule=rule)
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.work(source={"result_length": before})
    clear(world.services, ClearRequest("d", run_ids=["r"]))
    world.work({"mapped": outcome}, source={"result_length": after})

    states = world.states("r")
    removed = [states[f"mapped[{n}]"] for n in range(before)].count("removed")
    assert removed == before - after
    assert {rule: states[rule] for rule in expected} == {
        rule: LONG[end] for rule, end in expected.items()
    }


def test_each_index_of_a_mapped_group_has_its_own_rules(world, make_dag):
    @task
    def first(x): ...

    @task(trigger_rule="all_failed")
    def repair(x): ...

    @task(trigger_rule="one_success")
    def go_on(x): ...

    @task_group
    def group(x):
        first(x) >> [repair(x), go_on(x)]

    with make_dag(schedule=None) as dag:
        group.expand(x=[1, 2, 3]) >> EmptyOperator(task_id="end", trigger_rule="all_done")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.work({"group.first": ends("s", "f", "k")})

    states = world.states("r")
    assert [states[f"group.repair[{n}]"] for n in range(3)] == ["skipped", "success", "skipped"]
    assert [states[f"group.go_on[{n}]"] for n in range(3)] == [
        "success", "upstream_failed", "skipped"
    ]  # fmt: skip
    assert states["end"] == "success"


def test_setup_and_teardown_inside_a_mapped_group_frame_their_own_index(world, make_dag):
    @task
    def begin(x): ...

    @task
    def work(x): ...

    @task
    def stop(x): ...

    @task_group
    def group(x):
        made = begin(x).as_setup()
        made >> work(x) >> stop(x).as_teardown(setups=made)

    with make_dag(schedule=None) as dag:
        group.expand(x=[1, 2, 3]) >> EmptyOperator(task_id="end")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.work({"group.begin": ends("f", "s", "k"), "group.work": ends("s", "f", "s")})

    states = world.states("r")
    by_index = [
        tuple(states[f"group.{name}[{n}]"] for name in ("begin", "work", "stop")) for n in range(3)
    ]
    assert by_index == [
        ("failed", "upstream_failed", "upstream_failed"),
        ("success", "failed", "success"),
        ("skipped", "skipped", "skipped"),
    ]
    assert (states["end"], world.run_state("r")) == ("upstream_failed", "failed")


def test_a_group_between_setup_and_teardown_is_all_in_scope(world, make_dag):
    """The teardown waits for every task between; what follows the group does not wait for it."""
    with make_dag(schedule=None) as dag:
        with TaskGroup("g") as group:
            setup = step("s").as_setup()
            teardown = step("t").as_teardown(setups=setup)
            one, two = step("one"), step("two")
            setup >> one >> two >> teardown
        group >> step("after")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.work({"g.one": "failed_final"})

    assert world.states("r") == {
        "g.s": "success", "g.one": "failed", "g.two": "upstream_failed", "g.t": "success",
        "after": "upstream_failed",
    }  # fmt: skip
    assert world.run_state("r") == "failed"


def test_a_teardown_that_fails_does_not_fail_its_run_unless_it_says_so(world, make_dag):
    for asks, end in ((False, "success"), (True, "failed")):
        with make_dag(f"asks_{asks}", schedule=None) as dag:
            setup = step("s").as_setup()
            setup >> step("w") >> step("t").as_teardown(setups=setup, on_failure_fail_dagrun=asks)
        world.parse(dag)
        trigger_dag(world.services, dag.dag_id, run_id="r")
        world.work({"t": "failed_final"})

        assert world.run_state("r", dag.dag_id) == end


def test_fail_fast_skips_and_stops_the_rest_and_lets_teardowns_run(world, make_dag):
    with make_dag(schedule=None, fail_fast=True) as dag:
        setup = step("s").as_setup()
        teardown = step("t").as_teardown(setups=setup)
        setup >> step("bad") >> step("below") >> teardown
        setup >> step("slow") >> teardown
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    [claim] = world.claim()
    world.finish(claim)
    claims = {claim.task_id: claim for claim in world.claim()}
    world.finish(claims["bad"], "failed_final")
    world.tick()
    assert world.states("r")["slow"] == "failed"
    world.work()

    assert world.states("r") == {
        "s": "success", "bad": "failed", "below": "skipped", "slow": "failed", "t": "success",
    }  # fmt: skip
    assert world.run_state("r") == "failed"


def test_fail_fast_whose_leaves_were_skipped_is_a_successful_run(world, make_dag):
    """Section 5.7: leaves decide, and skipped ones are no failure."""
    with make_dag(schedule=None, fail_fast=True) as dag:
        step("f1") >> step("a")
        step("b") >> step("c")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    claims = {claim.task_id: claim for claim in world.claim()}
    world.finish(claims["b"])
    world.finish(claims["f1"], "failed_final")
    world.work()

    assert world.states("r") == {"f1": "failed", "a": "skipped", "b": "success", "c": "skipped"}
    assert world.run_state("r") == "success"


def test_fail_fast_stops_the_other_instances_of_a_mapped_task(world, make_dag):
    @task
    def mapped(x): ...

    with make_dag(schedule=None, fail_fast=True) as dag:
        mapped.expand(x=[1, 2, 3])
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    claims = {claim.map_index: claim for claim in world.claim()}
    world.finish(claims[0])
    world.finish(claims[1], "failed_final")
    world.tick()

    assert world.states("r") == {
        "mapped[0]": "success", "mapped[1]": "failed", "mapped[2]": "failed"
    }  # fmt: skip


def test_a_cleared_branch_leaf_is_skipped_again_until_the_branch_chooses_anew(world, make_dag):
    with make_dag(schedule=None) as dag:
        branch = BranchPythonOperator(task_id="b", python_callable=int)
        branch >> [step("x"), step("y")]
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.work(b={"followed": ["x"], "skip_task_ids": ["y"]})
    assert world.states("r") == {"b": "success", "x": "success", "y": "skipped"}

    clear(world.services, ClearRequest("d", task_ids=["y"], run_ids=["r"]))
    world.work()
    assert world.states("r")["y"] == "skipped"

    clear(world.services, ClearRequest("d", run_ids=["r"]))
    world.work(b={"followed": ["y"], "skip_task_ids": ["x"]})
    assert world.states("r") == {"b": "success", "x": "skipped", "y": "success"}


def test_a_cleared_task_below_a_short_circuit_is_skipped_again_only_where_it_is_direct(
    world, make_dag
):
    """Airflow asks the marks of direct upstream tasks only."""
    with make_dag(schedule=None) as dag:
        short = ShortCircuitOperator(task_id="sc", python_callable=int)
        short >> step("d1") >> step("d2", trigger_rule="all_done")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.work(sc={"skipped": ["d1", "d2"], "skip_task_ids": ["d1", "d2"]})
    assert world.states("r") == {"sc": "success", "d1": "skipped", "d2": "skipped"}

    clear(world.services, ClearRequest("d", task_ids=["d1"], run_ids=["r"]))
    world.work()
    assert world.states("r")["d1"] == "skipped"

    clear(world.services, ClearRequest("d", task_ids=["d2"], run_ids=["r"]))
    world.work()
    assert world.states("r")["d2"] == "success"


def test_a_task_above_the_leaves_may_fail_where_its_repair_succeeds(world, make_dag):
    with make_dag(schedule=None) as dag:
        step("a") >> step("repair", trigger_rule="one_failed")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.work({"a": "failed_final"})

    assert world.run_state("r") == "success"


def test_an_indirect_setup_holds_what_runs_by_any_other_rule(world, make_dag):
    with make_dag(schedule=None) as dag:
        setup = step("s").as_setup()
        teardown = step("t").as_teardown(setups=setup)
        setup >> step("w1") >> step("w2", trigger_rule="all_done") >> teardown
        teardown >> step("after", trigger_rule="all_done")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.work({"s": "failed_final"})

    assert world.states("r") == {
        "s": "failed", "w1": "upstream_failed", "w2": "upstream_failed", "t": "upstream_failed",
        "after": "success",
    }  # fmt: skip
