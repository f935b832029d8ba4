"""Branches, short circuits and latest-only (semantics sections 5.5, 7.4 to 7.6)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.operators.branch import BaseBranchOperator, BranchPythonOperator
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.latest_only import LatestOnlyOperator
from tradewind.operators.short_circuit import ShortCircuitOperator
from tradewind.operators.skip_mixin import SkipMixin
from tradewind.sdk import timezone
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.task_decorators import task
from tradewind.sdk.task_group import TaskGroup


def branch_over(world, chosen):
    """br → a, b, grp(x1 → x2), j; a → j."""
    with world.dag:
        branch = BranchPythonOperator(task_id="br", python_callable=lambda: chosen)
        a, b, j = (EmptyOperator(task_id=name) for name in "abj")
        with TaskGroup("grp"):
            x1, x2 = EmptyOperator(task_id="x1"), EmptyOperator(task_id="x2")
            x1 >> x2
        branch >> [a, b, x1, j]
        a >> j
    return world.run("br")


@pytest.mark.parametrize(
    ("chosen", "followed"),
    [
        ("a", ["a", "j"]),
        (["b"], ["b"]),
        ("j", ["j"]),
        ("grp", ["grp.x1"]),
        (("a", "b"), ["a", "b", "j"]),
        ("grp.x2", []),
        (None, []),
        ([], []),
    ],
    ids=repr,
)
def test_a_branch_follows_what_was_chosen_and_what_lies_below_it(world, chosen, followed):
    result = branch_over(world, chosen)

    direct = {"a", "b", "grp.x1", "j"}
    assert world.xcoms("br")["skipmixin_key"] == {"followed": followed}
    assert result.skip_task_ids == sorted(direct - set(followed))


def test_what_a_branch_chose_is_its_result(world):
    branch_over(world, ["b"])

    assert world.xcoms("br")["return_value"] == ["b"]


@pytest.mark.parametrize("chosen", ["nope", 5, [1], True])
def test_a_branch_that_chooses_no_task_fails_and_skips_nothing(world, chosen):
    result = branch_over(world, chosen)

    assert result.outcome == "failed"
    assert result.skip_task_ids == []
    assert world.xcoms("br") == {}


def test_an_instance_of_a_mapped_branch_skips_by_its_mark_only(world):
    with world.dag:

        @task.branch
        def choose(name):
            return name

        choose.expand(name=["a", "b"]) >> [EmptyOperator(task_id="a"), EmptyOperator(task_id="b")]

    result = world.run("choose", 0)

    assert result.skip_task_ids == []
    assert world.xcoms("choose", 0)["skipmixin_key"] == {"followed": ["a"]}


def test_an_operator_of_ones_own_can_branch(world):
    class Mine(BaseBranchOperator):
        def choose_branch(self, context):
            return "b" if context["ds"] else "a"

    with world.dag:
        Mine(task_id="m") >> [EmptyOperator(task_id="a"), EmptyOperator(task_id="b")]

    assert world.run("m").skip_task_ids == ["a"]
    assert Mine._can_skip_downstream


@pytest.mark.parametrize("is_airflow_2", [True, False])
def test_an_operator_of_ones_own_can_skip_tasks(world, is_airflow_2):
    class Mine(BaseOperator, SkipMixin):
        def execute(self, context):
            below = self.get_direct_relatives(upstream=False)
            if is_airflow_2:
                self.skip(context["dag_run"], below, execution_date=None)
            else:
                self.skip(ti=context["ti"], tasks=below)

    with world.dag:
        Mine(task_id="m") >> EmptyOperator(task_id="a")

    assert world.run("m").skip_task_ids == ["a"]
    assert world.xcoms("m") == {"skipmixin_key": {"skipped": ["a"]}}
    assert world.dag.get_task("m").inherits_from_skipmixin


def short_circuit(world, value, **kwargs):
    """sc → d1 → d2; sc → clean (a teardown)."""
    with world.dag:
        first = ShortCircuitOperator(task_id="sc", python_callable=lambda: value, **kwargs)
        d1, d2 = EmptyOperator(task_id="d1"), EmptyOperator(task_id="d2", trigger_rule="all_done")
        clean = EmptyOperator(task_id="clean").as_teardown()
        first >> d1 >> d2
        first >> clean
    return world.run("sc")


@pytest.mark.parametrize(("ignores_rules", "skipped"), [(True, ["d1", "d2"]), (False, ["d1"])])
def test_a_false_short_circuit_skips_what_is_below_but_teardowns(world, ignores_rules, skipped):
    result = short_circuit(world, False, ignore_downstream_trigger_rules=ignores_rules)

    assert result.skip_task_ids == skipped
    assert sorted(world.xcoms("sc")["skipmixin_key"]["skipped"]) == skipped
    assert world.xcoms("sc")["return_value"] is False


def test_a_true_short_circuit_goes_on(world):
    result = short_circuit(world, [0])

    assert result.skip_task_ids == []
    assert world.xcoms("sc") == {"return_value": [0]}


def test_task_short_circuit_is_the_same(world):
    with world.dag:

        @task.short_circuit(ignore_downstream_trigger_rules=False)
        def gate():
            return ""

        gate() >> EmptyOperator(task_id="a") >> EmptyOperator(task_id="b")

    assert world.run("gate").skip_task_ids == ["a"]


def latest_only(make_world, now, *, logical_day, **run):
    world = make_world(schedule="@daily")
    from tradewind.sdk.timetables.interval import CronDataIntervalTimetable

    world.dag.timetable = CronDataIntervalTimetable("@daily")
    day = datetime(2024, 1, logical_day, tzinfo=UTC)
    world.dag_run.update(
        run_type="scheduled",
        external_trigger=False,
        logical_date=day,
        data_interval_start=day,
        data_interval_end=day.replace(day=logical_day + 1),
        **run,
    )
    LatestOnlyOperator(task_id="l", dag=world.dag) >> EmptyOperator(task_id="a", dag=world.dag)
    with timezone.frozen(now):
        return world.run("l").skip_task_ids


NOW = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)


def test_the_latest_run_goes_on_and_an_older_one_is_skipped(make_world):
    assert latest_only(make_world, NOW, logical_day=14) == []
    assert latest_only(make_world, NOW, logical_day=13) == ["a"]


def test_a_run_started_by_hand_goes_on_whatever_its_date(make_world):
    world = make_world()
    LatestOnlyOperator(task_id="l", dag=world.dag) >> EmptyOperator(task_id="a", dag=world.dag)

    assert world.run("l").skip_task_ids == []
