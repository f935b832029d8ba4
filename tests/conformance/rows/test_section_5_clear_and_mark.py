"""Rows of sections 5.12 and 5.13: what clearing, marking and deleting reach, also over mapping."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tradewind.control.clear import ClearRequest, clear, preview
from tradewind.control.mark import mark_run, mark_task
from tradewind.control.trigger import trigger_dag
from tradewind.database.errors import NotAllowed
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.python import PythonOperator
from tradewind.sdk.task_decorators import task
from tradewind.sdk.task_group_decorator import task_group

DAYS = ["2024-01-10", "2024-01-11", "2024-01-12"]


def step(task_id, **arguments):
    return PythonOperator(task_id=task_id, python_callable=int, **arguments)


def names(rows):
    return sorted(
        f"{row.run_id} {row.task_id}" + (f"[{row.map_index}]" if row.map_index >= 0 else "")
        for row in rows
    )


@pytest.fixture
def three_days(world, make_dag):
    """A mapped task between two plain ones, and three finished runs of it."""

    @task
    def source():
        return [1, 2]

    @task
    def mapped(x): ...

    with make_dag(schedule=None) as dag:
        [source() >> mapped.expand(x=[1, 2, 3]) >> step("last"), step("other")]
    world.parse(dag)
    for number, run_id in enumerate(DAYS):
        date = world.now.replace(hour=0) + timedelta(days=number - 5)
        trigger_dag(world.services, "d", run_id=run_id, logical_date=date)
    return world


def fail_one_instance(claim):
    return "failed_final" if claim.map_index == 1 else "success"


def test_only_failed_means_failed_and_upstream_failed_and_leaves_other_instances(three_days):
    three_days.work({"mapped": fail_one_instance})

    found = preview(three_days.services, ClearRequest("d", run_ids=[DAYS[0]], only_failed=True))

    assert names(found) == [f"{DAYS[0]} last", f"{DAYS[0]} mapped[1]"]


def test_past_and_future_reach_the_same_tasks_in_earlier_and_later_runs(three_days):
    three_days.work()

    def reach(**options):
        request = ClearRequest("d", task_ids=["last"], run_ids=[DAYS[1]], **options)
        return [name.split()[0] for name in names(preview(three_days.services, request))]

    assert reach() == [DAYS[1]]
    assert reach(include_past=True) == DAYS[:2]
    assert reach(include_future=True) == DAYS[1:]
    assert reach(include_past=True, include_future=True) == DAYS


def test_one_instance_of_a_mapped_task_is_cleared_with_all_that_is_below_it(three_days):
    three_days.work()

    request = ClearRequest(
        "d", instances=[("mapped", 1)], run_ids=[DAYS[0]], include_downstream=True
    )

    assert names(preview(three_days.services, request)) == [
        f"{DAYS[0]} last", f"{DAYS[0]} mapped[1]"
    ]  # fmt: skip


def test_upstream_of_a_mapped_instance_is_cleared_whole(three_days):
    three_days.work()

    request = ClearRequest("d", instances=[("mapped", 1)], run_ids=[DAYS[0]], include_upstream=True)

    assert names(preview(three_days.services, request)) == [
        f"{DAYS[0]} mapped[1]", f"{DAYS[0]} source"
    ]  # fmt: skip


def test_marking_one_instance_with_downstream_marks_every_instance_below(three_days):
    three_days.work({"mapped": fail_one_instance})

    marked = mark_task(
        three_days.services, "d", DAYS[0], "mapped", "success",
        map_index=1, include_downstream=True, is_dry_run=True,
    )  # fmt: skip

    assert names(marked) == [f"{DAYS[0]} last", f"{DAYS[0]} mapped[1]"]


def test_marking_one_instance_in_the_future_too_marks_that_instance_of_each_run(three_days):
    three_days.work()

    marked = mark_task(
        three_days.services, "d", DAYS[1], "mapped", "failed",
        map_index=1, include_future=True, is_dry_run=True,
    )  # fmt: skip

    assert names(marked) == [f"{day} mapped[1]" for day in DAYS[1:]]


def test_marking_success_clears_failures_below_in_all_runs_that_were_marked(three_days):
    three_days.work({"mapped": fail_one_instance})
    assert {three_days.run_state(day) for day in DAYS} == {"failed"}

    mark_task(
        three_days.services, "d", DAYS[2], "mapped", "success", map_index=1, include_past=True
    )
    three_days.work()

    assert [three_days.states(day)["last"] for day in DAYS] == ["success"] * 3
    assert {three_days.run_state(day) for day in DAYS} == {"success"}


def test_marking_a_failed_task_failed_again_lets_nothing_run(three_days):
    three_days.work({"source": "failed_final"})

    mark_task(three_days.services, "d", DAYS[0], "source", "failed")
    three_days.work()

    assert three_days.states(DAYS[0])["last"] == "upstream_failed"


def test_clearing_all_states_of_a_setup_or_its_work_takes_setup_and_teardown_along(world, make_dag):
    with make_dag(schedule=None) as dag:
        before = step("before")
        setup = step("s").as_setup()
        work = step("w")
        teardown = step("t").as_teardown(setups=setup)
        before >> setup >> work >> teardown
        work >> step("after")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.work()

    def reach(task_id):
        found = preview(world.services, ClearRequest("d", task_ids=[task_id], run_ids=["r"]))
        return sorted(row.task_id for row in found)

    assert reach("w") == ["s", "t", "w"]
    assert reach("s") == ["s", "t"]
    assert reach("t") == ["t"]
    assert reach("after") == ["after"]


def test_a_clear_gives_retries_anew_on_top_of_the_tries_that_were_used(world, make_dag):
    """Example 5.2: three tries, and after a clear the tries 4, 5 and 6."""
    with make_dag(schedule=None) as dag:
        step("t", retries=2, retry_delay=timedelta(0))
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")

    def run_out():
        tries = []
        for _ in range(10):
            for claim in world.claim():
                tries.append(claim.try_number)
                world.finish(claim, "failed")
            world.clock.advance(seconds=1)
        return tries

    assert run_out() == [1, 2, 3]
    clear(world.services, ClearRequest("d", run_ids=["r"]))
    assert world.store.task_instances.get("d", "r", "t").tries_max >= 5
    assert run_out() == [4, 5, 6]
    assert world.run_state("r") == "failed"


def test_a_cleared_finished_run_starts_anew_and_a_running_one_goes_on(world, make_dag):
    with make_dag(schedule=None) as dag:
        step("a") >> step("b")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.tick()
    started_at = world.store.runs.get("d", "r").started_at
    [claim] = world.claim()
    world.finish(claim)
    world.clock.advance(hours=1)

    clear(world.services, ClearRequest("d", task_ids=["a"], run_ids=["r"]))
    running = world.store.runs.get("d", "r")
    world.work()
    clear(world.services, ClearRequest("d", task_ids=["b"], run_ids=["r"]))
    again = world.store.runs.get("d", "r")

    assert (running.state, running.started_at, running.clear_number) == ("running", started_at, 1)
    assert (again.started_at, again.clear_number) == (world.now, 2)


def test_a_clear_that_leaves_the_run_as_it_is_waits_for_a_person(world, make_dag):
    with make_dag(schedule=None) as dag:
        step("a")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.work()

    clear(world.services, ClearRequest("d", run_ids=["r"], reset_dag_runs=False))

    assert world.claim() == []
    assert (world.run_state("r"), world.states("r")) == ("success", {"a": "none"})


def test_only_running_clears_what_runs(world, make_dag):
    with make_dag(schedule=None) as dag:
        step("a") >> step("b")
        step("c")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.finish(next(claim for claim in world.claim() if claim.task_id == "c"))

    cleared = clear(world.services, ClearRequest("d", run_ids=["r"], only_running=True))

    assert names(cleared) == ["r a"]
    assert world.states("r")["a"] == "restarting"


@pytest.mark.parametrize("state", ["success", "failed", "skipped"])
def test_marking_a_running_task_ends_it_at_once_and_its_own_end_is_not_heard(
    world, make_dag, state
):
    with make_dag(schedule=None) as dag:
        step("a", retries=3) >> step("b")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    [claim] = world.claim()

    mark_task(world.services, "d", "r", "a", state)
    world.finish(claim, "failed")
    world.work()

    below = {"success": "success", "failed": "upstream_failed", "skipped": "skipped"}[state]
    assert world.states("r") == {"a": state, "b": below}


def test_marking_a_run_success_skips_what_waits_and_ends_what_has_begun(world, make_dag):
    with make_dag(schedule=None) as dag:
        step("done") >> step("poking") >> step("waiting")
        step("running")
        step("retrying", retries=1)
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    for claim in world.claim():
        if claim.task_id == "done":
            world.finish(claim)
        elif claim.task_id == "retrying":
            world.finish(claim, "failed")
    [poke] = [claim for claim in world.claim() if claim.task_id == "poking"]
    world.finish(poke, "rescheduled", due_at=world.now + timedelta(hours=1))

    mark_run(world.services, "d", "r", "success")

    assert world.states("r") == {
        "done": "success", "poking": "success", "waiting": "skipped", "running": "success",
        "retrying": "skipped",
    }  # fmt: skip
    assert world.run_state("r") == "success"


def test_marking_a_run_failed_fails_what_has_begun_and_skips_the_rest(world, make_dag):
    with make_dag(schedule=None) as dag:
        step("a") >> step("b")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.claim()

    mark_run(world.services, "d", "r", "failed")

    assert (world.run_state("r"), world.states("r")) == ("failed", {"a": "failed", "b": "skipped"})


def test_a_run_put_back_into_the_queue_is_started_again_with_its_tasks_as_they_are(world, make_dag):
    with make_dag(schedule=None) as dag:
        step("a") >> step("b")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    world.work({"a": "failed_final"})

    mark_run(world.services, "d", "r", "queued")
    world.work()

    assert world.states("r") == {"a": "failed", "b": "upstream_failed"}
    assert world.run_state("r") == "failed"


def test_a_running_run_cannot_be_deleted_and_an_ended_one_goes_with_its_xcoms(world, make_dag):
    with make_dag(schedule=None) as dag:
        step("a")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    [claim] = world.claim()

    with pytest.raises(NotAllowed, match="running"):
        world.store.runs.delete("d", "r", world.now, "user:ada")
    world.finish(claim, result_length=3)
    world.store.runs.delete("d", "r", world.now, "user:ada")

    assert world.run_states() == {}
    assert world.store.task_instances.list("d", "r") == []


def test_a_deleted_run_of_the_schedule_is_not_made_again(world, make_dag):
    dag = make_dag(schedule="@daily", start_date=world.now - timedelta(days=3), catchup=True)
    with dag:
        step("a")
    world.parse(dag)
    world.tick()
    world.work()
    made = list(world.run_states())

    world.store.runs.delete("d", made[0], world.now, "user:ada")
    world.tick(3)

    assert list(world.run_states()) == made[1:]


def test_more_items_after_a_clear_make_new_instances_and_fewer_remove_some(world, make_dag):
    @task
    def source(): ...

    @task
    def mapped(x): ...

    with make_dag(schedule=None) as dag:
        mapped.expand(x=source()) >> step("last")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    seen = []
    for length in (3, 1, 4):
        world.work(source={"result_length": length})
        states = world.states("r")
        seen.append([states.get(f"mapped[{n}]") for n in range(4)])
        assert (states["last"], world.run_state("r")) == ("success", "success")
        clear(world.services, ClearRequest("d", run_ids=["r"]))

    assert seen == [
        ["success", "success", "success", None],
        ["success", "removed", "removed", None],
        ["success"] * 4,
    ]


def test_a_mapped_group_grows_and_shrinks_as_a_whole(world, make_dag):
    @task
    def source(): ...

    @task
    def first(x): ...

    @task
    def second(x): ...

    @task_group
    def group(x):
        second(first(x))

    with make_dag(schedule=None) as dag:
        group.expand(x=source()) >> EmptyOperator(task_id="end")
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    for length in (2, 1, 3):
        world.work(source={"result_length": length})
        states = world.states("r")
        for name in ("group.first", "group.second"):
            live = [n for n in range(3) if states.get(f"{name}[{n}]") == "success"]
            assert live == list(range(length)), states
        assert (states["end"], world.run_state("r")) == ("success", "success")
        clear(world.services, ClearRequest("d", run_ids=["r"]))
