"""The serialized form: complete, plain, and the same for the same file."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from tradewind.sdk.asset import Asset, AssetAlias
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.edges import Label
from tradewind.sdk.exceptions import AirflowDagCycleException, SerializationError
from tradewind.sdk.param import Param
from tradewind.sdk.serialize_dag import serialize
from tradewind.sdk.serialized import Length, SerializedParam, decode, encode
from tradewind.sdk.task_group import TaskGroup
from tradewind.sdk.task_group_decorator import task_group
from tradewind.sdk.weight_rules import PriorityWeightStrategy

START = datetime(2024, 1, 1, tzinfo=UTC)


class Empty(BaseOperator):
    _is_empty = True


def serialized(dag):
    return serialize(dag, relative_fileloc="folder/file.py")


def task_of(dag, task_id):
    return next(task for task in serialized(dag).tasks if task.task_id == task_id)


def test_what_is_said_about_the_dag_is_kept(make_dag):
    dag = make_dag(
        "sales",
        description="daily numbers",
        start_date=START,
        schedule=timedelta(hours=1),
        catchup=True,
        max_active_runs=3,
        max_active_tasks=4,
        dagrun_timeout=timedelta(minutes=2),
        tags=["b", "a"],
        fail_fast=True,
        on_failure_callback=print,
        params={"size": Param(3, "how many", type="integer", minimum=1), "open": Param(None)},
    )

    found = serialized(dag)

    assert (found.dag_id, found.description, found.relative_fileloc) == (
        "sales",
        "daily numbers",
        "folder/file.py",
    )
    assert (found.start_at, found.timezone, found.timetable.kind) == (START, "UTC", "delta_trigger")
    assert (found.max_active_runs, found.max_active_tasks, found.dagrun_timeout_s) == (3, 4, 120)
    assert (found.catchup, found.is_catchup_implied, found.is_fail_fast) == (True, False, True)
    assert (found.tags, found.callbacks) == (["a", "b"], ["failure"])
    assert found.params == [
        SerializedParam("size", True, 3, "how many", {"type": "integer", "minimum": 1}),
        SerializedParam("open", has_default=True, default=None),
    ]
    assert decode(encode(found)) == found


def test_a_required_param_stops_a_dag_only_where_it_is_scheduled(make_dag):
    with pytest.raises(ValueError, match="open"):
        serialized(make_dag(start_date=START, schedule="@daily", params={"open": Param()}))


@pytest.mark.parametrize(("dialect", "scope", "catchup"), [("2", "dag", True), ("3", "run", False)])
def test_what_the_dialect_decides_is_written_down(make_dag, dialect, scope, catchup):
    found = serialized(make_dag(dialect=dialect, start_date=START, schedule="@daily"))

    assert (found.dialect, found.max_active_tasks_scope) == (dialect, scope)
    assert (found.catchup, found.is_catchup_implied) == (catchup, True)


def test_what_is_said_about_a_task_is_kept(make_dag):
    with make_dag(schedule=None, start_date=START) as dag:
        BaseOperator(
            task_id="a",
            retries=2,
            retry_delay=timedelta(minutes=3),
            retry_exponential_backoff=True,
            max_retry_delay=60,
            pool="p",
            pool_slots=2,
            queue="q",
            execution_timeout=timedelta(seconds=9),
            trigger_rule="all_done",
            email="a@example.com; b@example.com",
            on_retry_callback=[print],
            doc_md="""
                # Why
                """,
            inlets=[Asset("s3://in")],
            outlets=[Asset("s3://out"), AssetAlias("alias"), "not an asset"],
            params={"x": 1},
            sla=timedelta(hours=1),
        )
    found = task_of(dag, "a")

    assert (found.retries, found.retry_delay_s, found.retry_exponential_backoff) == (2, 180, 2)
    assert (found.retry_delay_max_s, found.execution_timeout_s, found.sla_s) == (60, 9, 3600)
    assert (found.pool, found.pool_slots, found.queue) == ("p", 2, "q")
    assert (found.trigger_rule, found.callbacks, found.params) == ("all_done", ["retry"], {"x": 1})
    assert found.email == ["a@example.com", "b@example.com"]
    assert (found.doc, found.doc_format) == ("# Why", "doc_md")
    assert [asset.uri for asset in found.inlets] == ["s3://in"]
    assert [(asset.name, asset.is_alias) for asset in found.outlets] == [
        ("s3://out", False),
        ("alias", True),
    ]
    assert found.start_at == START


def test_tasks_stand_after_what_they_depend_on_else_in_order_of_creation(dag):
    with dag:
        c, _, a = (BaseOperator(task_id=name) for name in "cba")
        a >> c

    assert [task.task_id for task in serialized(dag).tasks] == ["b", "a", "c"]


def test_a_circle_is_refused(dag):
    with dag:
        task = BaseOperator(task_id="a")
        task >> task

    with pytest.raises(AirflowDagCycleException):
        serialized(dag)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("downstream", {"a": 9, "b": 5, "c": 6, "d": 3, "e": 0}),
        ("upstream", {"a": 1, "b": 3, "c": 4, "d": 9, "e": 0}),
        ("absolute", {"a": 1, "b": 2, "c": 3, "d": 3, "e": 0}),
    ],
)
def test_effective_weights_count_every_relative_once(make_dag, rule, expected):
    with make_dag(schedule=None, default_args={"weight_rule": rule}) as dag:
        a, b, c, d = (
            BaseOperator(task_id=name, priority_weight=weight)
            for name, weight in [("a", 1), ("b", 2), ("c", 3), ("d", 3)]
        )
        BaseOperator(task_id="e", priority_weight=0)
        a >> [b, c] >> d

    weights = {task.task_id: task.effective_priority_weight for task in serialized(dag).tasks}

    assert weights == expected


def test_a_users_own_weight_strategy_is_asked(dag):
    class Fixed(PriorityWeightStrategy):
        def get_weight(self, ti):
            return 42

    BaseOperator(task_id="a", weight_rule=Fixed(), dag=dag)

    assert task_of(dag, "a").effective_priority_weight == 42


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, True),
        ({"on_execute_callback": print}, False),
        ({"on_success_callback": print}, False),
        ({"on_failure_callback": print}, True),
        ({"outlets": [Asset("s3://a")]}, False),
        ({"pre_execute": print}, False),
    ],
)
def test_an_empty_task_needs_a_process_only_for_what_else_it_does(dag, arguments, expected):
    Empty(task_id="a", dag=dag, **arguments)
    BaseOperator(task_id="b", dag=dag)

    assert task_of(dag, "a").is_empty is expected
    assert task_of(dag, "b").is_empty is False


def test_lengths_of_mapped_values_are_expressions(dag, task):
    @task
    def source(): ...

    @task
    def f(a, b=None): ...

    with dag:
        values = source()
        f.expand(a=[1, 2], b=values)
        f.expand(a=values.zip(values.map(str), fillvalue=1))
        f.expand(a=values.concat(values))
        f.expand_kwargs(values)
        f.expand_kwargs([{"a": 1}])
    expansions = [
        task_of(dag, task_id).expansion for task_id in ["f", *(f"f__{n}" for n in (1, 2, 3, 4))]
    ]
    of_source = Length("xcom", task_id="source")

    assert expansions[0].argument_names == ["a", "b"]
    assert [expansion.lengths for expansion in expansions] == [
        [Length("literal", count=2), of_source],
        [Length("zip", operands=[of_source, of_source], is_filled=True)],
        [Length("concat", operands=[of_source, of_source])],
        [of_source],
        [Length("literal", count=1)],
    ]


def test_groups_are_kept_with_their_mapping(dag, task):
    @task
    def f(x): ...

    @task_group
    def g(x):
        """Tip."""
        f(x)

    with dag:
        g.expand(x=[1, 2, 3])
        with TaskGroup("outer", prefix_group_id=False), TaskGroup("inner"):
            BaseOperator(task_id="a")
    groups = {group.group_id: group for group in serialized(dag).groups}

    assert groups["g"].expansion.lengths == [Length("literal", count=3)]
    assert (groups["g"].tooltip, groups["g"].children) == ("Tip.", ["g.f"])
    assert (groups["inner"].parent_id, groups["outer"].prefix_group_id) == ("outer", False)
    assert task_of(dag, "inner.a").group_id == "inner"


def test_labels_of_edges_are_kept(dag):
    with dag:
        BaseOperator(task_id="a") >> Label("large") >> BaseOperator(task_id="b")

    assert serialized(dag).edge_labels == [["a", "b", "large"]]


def test_setups_and_teardowns_are_kept(dag):
    with dag:
        setup, teardown = BaseOperator(task_id="s"), BaseOperator(task_id="t")
        teardown.as_teardown(setups=setup, on_failure_fail_dagrun=True)

    assert task_of(dag, "s").is_setup
    assert (task_of(dag, "t").is_teardown, task_of(dag, "t").on_failure_fail_dagrun) == (True, True)


def test_the_condition_of_an_asset_schedule_is_kept(make_dag):
    condition = (Asset("s3://a") & Asset("s3://b")) | AssetAlias("c")

    found = serialized(make_dag(schedule=condition))

    assert found.timetable.kind == "asset_triggered"
    assert list(found.asset_expression) == ["any"]
    assert [list(part) for part in found.asset_expression["any"]] == [["all"], ["alias"]]


def test_the_same_dag_gives_the_same_bytes(make_dag):
    def build(order):
        with make_dag(schedule=None, start_date=START, tags=order) as dag:
            last = BaseOperator(task_id="z")
            for name in sorted(order):
                BaseOperator(task_id=name, executor_config={name: 1}) >> last
        return encode(serialized(dag))

    assert build(["a", "b", "c", "d"]) == build(["d", "b", "a", "c"])


def test_a_dag_of_a_thousand_tasks_with_weights_is_serialized(dag):
    with dag:
        tasks = [BaseOperator(task_id=f"t{n}", priority_weight=n % 3) for n in range(1000)]
        for before, after in itertools.pairwise(tasks):
            before >> after

    found = serialized(dag)

    assert found.tasks[0].effective_priority_weight == sum(n % 3 for n in range(1000))


def test_a_required_param_is_told_from_one_that_is_none(make_dag):
    found = serialized(make_dag(schedule=None, params={"open": Param(), "none": Param(None)}))

    assert [(param.name, param.has_default) for param in found.params] == [
        ("open", False),
        ("none", True),
    ]


def test_a_value_of_a_wrong_type_fails_here_and_not_in_the_scheduler(make_dag):
    dag = make_dag(schedule=None)
    BaseOperator(task_id="a", dag=dag, depends_on_past=None)
    assert task_of(dag, "a").depends_on_past is False

    dag.max_active_runs = "many"
    with pytest.raises(SerializationError, match="max_active_runs"):
        serialized(dag)


def test_the_order_of_sets_does_not_make_a_new_version():
    program = """
from tradewind.sdk import DAG, Asset, BaseOperator
from tradewind.sdk.serialize_dag import serialize
from tradewind.sdk.serialized import encode
assets = {Asset(name) for name in "abcdefgh"}
run_types = {"manual", "asset_triggered"}
with DAG("a", schedule=assets, tags={*"stuvwxyz"}, allowed_run_types=run_types) as dag:
    last = BaseOperator(task_id="last", outlets=assets)
    for name in "abcdefgh":
        BaseOperator(task_id=name, params={"p": sorted("xy")}) >> last
print(encode(serialize(dag, relative_fileloc="a.py")).decode())
"""
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            check=True,
            timeout=60,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }

    assert len(answers) == 1


class Starts(BaseOperator):
    trigger_dag_id = "other"


class Waits(BaseOperator):
    external_dag_id = "before"


class Marks(BaseOperator):
    external_dag_id = "after"
    external_marker: ClassVar = {"dag_id": "after", "task_id": "x"}


def test_the_dags_that_a_task_starts_and_waits_for_are_kept(make_dag):
    dag = make_dag("sales")
    for task in Starts, Waits, Marks:
        task(task_id=task.__name__, dag=dag)

    named = {
        task.task_id: (task.triggered_dag_id, task.awaited_dag_id) for task in serialized(dag).tasks
    }

    assert named == {"Starts": ("other", ""), "Waits": ("", "before"), "Marks": ("", "")}
