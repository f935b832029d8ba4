"""Checkable examples 2: operators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tradewind.operators.bash import BashOperator
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.python import PythonOperator
from tradewind.planning.retry import retry_delay
from tradewind.sdk.edges import chain
from tradewind.sdk.serialized import SerializedTask
from tradewind.sdk.task_group import TaskGroup

START = datetime(2024, 1, 1, tzinfo=UTC)


def edges(dag):
    return {(up.task_id, down) for up in dag.tasks for down in up.downstream_task_ids}


def test_example_2_1_arguments():
    task = EmptyOperator(task_id="x", retry_delay=60, retries="3")

    assert (task.retry_delay, task.retries) == (timedelta(seconds=60), 3)
    for wrong in ({"execution_timeout": 60}, {"pool_slots": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            EmptyOperator(task_id="x", **wrong)
    with pytest.raises((ValueError, TypeError), match="retries"):
        EmptyOperator(task_id="x", retries="a")


def test_example_2_2_wait_for_downstream():
    assert EmptyOperator(task_id="x", wait_for_downstream=True).depends_on_past is True


@pytest.mark.parametrize(
    ("multiplier", "logical_date", "expected"),
    [
        (2, START, [521, 817, 1518, 4341, 86400]),
        (3, START, [521, 1717, 3618, 9141, 86400]),
        (2, None, [313, 890, 1398, 3428, 86400]),
    ],
)
def test_example_2_3_backoff(multiplier, logical_date, expected):
    task = SerializedTask(
        task_id="t", task_type="x", retry_delay_s=300.0, retry_exponential_backoff=multiplier
    )

    delays = [
        retry_delay(dag_id="d", task=task, logical_date=logical_date, try_number=number)
        for number in (1, 2, 3, 4, 10)
    ]

    assert delays == [timedelta(seconds=one) for one in expected]


def test_example_2_4_chain(dag):
    with dag:
        t, a, b, c, e, z = (EmptyOperator(task_id=name) for name in "tabcez")
        chain(t, [a, b], [c, e], z)

    assert edges(dag) == {
        ("t", "a"), ("t", "b"), ("a", "c"), ("b", "e"), ("c", "z"), ("e", "z"),
    }  # fmt: skip


def test_example_2_5_groups(dag):
    with dag:
        with TaskGroup("g1", prefix_group_id=False) as g1:
            EmptyOperator(task_id="a") >> EmptyOperator(task_id="b")
        with TaskGroup("g2", prefix_group_id=False) as g2:
            EmptyOperator(task_id="c")
            EmptyOperator(task_id="e")
        g1 >> g2

    assert edges(dag) == {("a", "b"), ("b", "c"), ("b", "e")}


LOGICAL_DATE = datetime(2024, 3, 5, tzinfo=UTC)


def test_example_2_6_keys_of_a_dict_are_not_rendered(dag, run):
    seen = []
    PythonOperator(
        task_id="t",
        python_callable=seen.append,
        op_args=[{"{{ ds }}": ["{{ ds }}"]}],
        dag=dag,
    )

    assert run(dag, logical_date=LOGICAL_DATE)["t"] == "success"
    assert seen == [{"{{ ds }}": ["2024-03-05"]}]


def test_example_2_7_a_script_is_a_template(make_dag, tmp_path, run):
    (tmp_path / "scr.sh").write_text('echo "hello {{ ds }}"')
    dag = make_dag(schedule=None, template_searchpath=str(tmp_path))
    seen = []
    with dag:
        script = BashOperator(task_id="script", bash_command="scr.sh")
        PythonOperator(task_id="see", python_callable=seen.append, op_args=[script.output])

    assert run(dag, logical_date=LOGICAL_DATE)["run"] == "success"
    assert seen == ["hello 2024-03-05"]


def test_example_2_8_a_rule_of_the_past(make_dag):
    old = EmptyOperator(task_id="x", trigger_rule="dummy", dag=make_dag(dialect="2", schedule=None))

    assert old.trigger_rule == "always"
    with pytest.raises(ValueError, match="dummy"):
        EmptyOperator(task_id="x", trigger_rule="dummy", dag=make_dag(schedule=None))


@pytest.mark.parametrize("value", [{1: 2}, [1]])
def test_example_2_9_multiple_outputs_need_texts_as_keys(dag, run, value):
    PythonOperator(
        task_id="t", python_callable=lambda: value, multiple_outputs=True, retries=0, dag=dag
    )

    assert run(dag)["t"] == "failed"


def test_example_2_9_what_is_pushed_explicitly_is_kept(dag, run):
    seen = []

    def push(ti):
        ti.xcom_push("k", 1)
        return 5

    def pull(ti):
        seen.extend([ti.xcom_pull("push"), ti.xcom_pull("push", key="k")])

    with dag:
        pushing = PythonOperator(task_id="push", python_callable=push, do_xcom_push=False)
        pushing >> PythonOperator(task_id="pull", python_callable=pull)

    assert run(dag)["run"] == "success"
    assert seen == [None, 1]
