"""Section 2, row by row: arguments of tasks, retries, edges and groups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.control.trigger import trigger_dag
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.python import PythonOperator
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.edges import Label, chain
from tradewind.sdk.exceptions import AirflowException, DuplicateTaskIdFound
from tradewind.sdk.task_group import TaskGroup

START = datetime(2024, 1, 1, tzinfo=UTC)


def test_what_a_task_is_where_nobody_said_anything(make_dag):
    task = BaseOperator(task_id="t", dag=make_dag(schedule=None))

    assert {
        name: getattr(task, name)
        for name in (
            "owner", "email", "email_on_retry", "email_on_failure", "retries", "retry_delay",
            "max_retry_delay", "depends_on_past", "wait_for_past_depends_before_skipping",
            "wait_for_downstream", "priority_weight", "queue", "pool", "pool_slots",
            "execution_timeout", "trigger_rule", "resources", "run_as_user",
            "max_active_tis_per_dag", "max_active_tis_per_dagrun", "map_index_template",
            "executor", "executor_config", "do_xcom_push", "multiple_outputs", "inlets", "outlets",
            "doc_md", "task_display_name", "allow_nested_operators", "is_setup", "is_teardown",
        )
    } == {
        "owner": "airflow", "email": None, "email_on_retry": True, "email_on_failure": True,
        "retries": 0, "retry_delay": timedelta(minutes=5), "max_retry_delay": None,
        "depends_on_past": False, "wait_for_past_depends_before_skipping": False,
        "wait_for_downstream": False, "priority_weight": 1, "queue": "default",
        "pool": "default_pool", "pool_slots": 1, "execution_timeout": None,
        "trigger_rule": "all_success", "resources": None, "run_as_user": None,
        "max_active_tis_per_dag": None, "max_active_tis_per_dagrun": None,
        "map_index_template": None, "executor": None, "executor_config": {}, "do_xcom_push": True,
        "multiple_outputs": False, "inlets": [], "outlets": [], "doc_md": None,
        "task_display_name": "t", "allow_nested_operators": True, "is_setup": False,
        "is_teardown": False,
    }  # fmt: skip


def test_what_nobody_said_comes_from_the_settings(make_dag, monkeypatch):
    for name, value in (
        ("CORE__DEFAULT_TASK_RETRIES", "2"),
        ("CORE__DEFAULT_TASK_RETRY_DELAY", "60"),
        ("CORE__DEFAULT_TASK_EXECUTION_TIMEOUT", "30"),
        ("CORE__DEFAULT_TASK_WEIGHT_RULE", "absolute"),
        ("OPERATORS__DEFAULT_OWNER", "ann"),
        ("OPERATORS__DEFAULT_QUEUE", "big"),
    ):
        monkeypatch.setenv(f"AIRFLOW__{name}", value)
    task = BaseOperator(task_id="t", dag=make_dag(schedule=None))

    assert (task.retries, task.retry_delay) == (2, timedelta(seconds=60))
    assert (task.execution_timeout, task.owner) == (timedelta(seconds=30), "ann")
    assert task.queue == "big"
    with make_dag("w", schedule=None) as dag:
        first = BaseOperator(task_id="a", priority_weight=2)
        first >> BaseOperator(task_id="b", priority_weight=3)
    assert dag.get_task("a").priority_weight_total == 2


@pytest.mark.parametrize("given", ["a@b.c, d@e.f", "a@b.c;d@e.f", ["a@b.c", "d@e.f"]])
def test_addresses_may_be_a_list_or_a_text_with_commas_or_semicolons(given):
    from tradewind.operators.mail import get_email_address_list

    assert get_email_address_list(given) == ["a@b.c", "d@e.f"]


@pytest.mark.parametrize("value", [None, 0])
def test_no_retries_may_be_said_in_two_ways(value):
    assert BaseOperator(task_id="t", retries=value).retries == 0


@pytest.mark.parametrize(("given", "dialect", "expected"), [(True, "3", 2.0), (3, "3", 3.0)])
def test_the_back_off_is_a_multiplier(make_dag, given, dialect, expected):
    task = BaseOperator(
        task_id="t", retry_exponential_backoff=given, dag=make_dag(dialect=dialect, schedule=None)
    )

    assert float(task.retry_exponential_backoff) == expected


def test_any_length_given_in_seconds_is_a_length():
    task = BaseOperator(task_id="t", retry_delay=1.5, max_retry_delay=90)

    assert task.retry_delay == timedelta(seconds=1.5)
    assert task.max_retry_delay == timedelta(seconds=90)


def test_legacy_names_of_trigger_rules_are_known_to_airflow_2(make_dag):
    dag = make_dag(dialect="2", schedule=None)

    old = BaseOperator(task_id="t", trigger_rule="none_failed_or_skipped", dag=dag)

    assert old.trigger_rule == "none_failed_min_one_success"


def test_a_retry_runs_strictly_after_its_delay_and_as_often_as_retries_say(world, make_dag):
    with make_dag(schedule=None) as dag:
        EmptyOperator(task_id="before") >> PythonOperator(
            task_id="t", python_callable=int, retries=1, retry_delay=timedelta(seconds=60)
        )
    world.parse(dag)
    trigger_dag(world.services, "d", run_id="r")
    [claim] = world.claim()
    world.finish(claim, "failed")
    assert world.states("r")["t"] == "up_for_retry"

    world.clock.advance(seconds=60)
    assert world.claim() == []
    world.clock.advance(seconds=0.001)
    [claim] = world.claim()
    world.finish(claim, "failed")

    assert (claim.try_number, world.states("r")["t"]) == (2, "failed")


def test_an_empty_group_in_a_chain_passes_on_in_airflow_3_and_not_in_2(make_dag):
    for dialect, below in (("3", {"b"}), ("2", set())):
        with make_dag(dialect=dialect, schedule=None) as dag:
            first, last = EmptyOperator(task_id="a"), EmptyOperator(task_id="b")
            with TaskGroup("g") as group:
                pass
            first >> group >> last

        assert dag.get_task("a").downstream_task_ids == below


def test_labels_may_stand_in_a_chain_of_lists(make_dag):
    with make_dag(schedule=None) as dag:
        a, b, c, d = (EmptyOperator(task_id=name) for name in "abcd")
        chain(a, [Label("one"), Label("two")], [b, c], d)

    assert dag.get_edge_info("a", "b") == {"label": "one"}
    assert dag.get_edge_info("a", "c") == {"label": "two"}


def test_groups_number_themselves_where_they_are_told_to(make_dag):
    with make_dag(schedule=None):
        ids = [TaskGroup("g", add_suffix_on_collision=True).group_id for _ in range(3)]
        with pytest.raises(DuplicateTaskIdFound):
            TaskGroup("g")

    assert ids == ["g", "g__1", "g__2"]


def test_what_a_group_shows(make_dag):
    with make_dag(schedule=None) as dag, TaskGroup("g", tooltip="about") as group:
        inside = EmptyOperator(task_id="x")

    assert group["x"] is inside
    assert set(group.children) == {"g.x"}
    assert group.upstream_join_id == "g.upstream_join_id"
    assert group.downstream_join_id == "g.downstream_join_id"
    assert (group.ui_color, group.ui_fgcolor, group.tooltip) == ("CornflowerBlue", "#000", "about")
    assert dag.task_group.children["g"] is group


def test_calling_an_operator_inside_of_a_task_warns_or_fails_as_the_inner_one_says(
    make_dag, run_to_end
):
    seen = []
    with make_dag(schedule=None) as dag:
        for name, allowed in (("warns", True), ("fails", False)):
            inner = PythonOperator(
                task_id=f"inner_{name}",
                python_callable=seen.append,
                op_args=[name],
                allow_nested_operators=allowed,
                dag=make_dag("elsewhere", schedule=None),
            )
            PythonOperator(
                task_id=name,
                python_callable=lambda inner=inner, **context: inner.execute(context),
                retries=0,
            )

    states = run_to_end(dag)

    assert (states["warns"], states["fails"]) == ("success", "failed")
    assert seen == ["warns"]


def test_all_arguments_that_are_missing_are_named(make_dag):
    class Needs(BaseOperator):
        def __init__(self, *, one, two, **kwargs):
            super().__init__(**kwargs)

    with pytest.raises(TypeError, match=r"one.*two") as caught:
        Needs(task_id="t", dag=make_dag(schedule=None))
    assert isinstance(caught.value, AirflowException)


def test_the_teardown_that_ends_a_group_is_not_what_follows_it(make_dag):
    with make_dag(schedule=None) as dag:
        with TaskGroup("g") as group:
            setup, work, teardown = (EmptyOperator(task_id=name) for name in ("s", "w", "t"))
            setup.as_setup() >> work >> teardown.as_teardown(setups=setup)
        group >> EmptyOperator(task_id="n")

    assert dag.get_task("n").upstream_task_ids == {"g.w"}
