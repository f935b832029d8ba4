"""Checkable examples 7: the standard operators. 7.7 (runs of other DAGs) stands in
conformance/rows/test_section_7_trigger_dagrun.py.
"""

from __future__ import annotations

import json

import pytest
from tradewind.operators.bash import BashOperator
from tradewind.operators.branch import BranchPythonOperator
from tradewind.operators.branch_day_of_week import BranchDayOfWeekOperator
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.python import PythonOperator
from tradewind.operators.short_circuit import ShortCircuitOperator
from tradewind.sdk.task_group import TaskGroup


def result_of(dag, run, task_id="t", key="return_value"):
    """Run *dag*; return the state of *task_id* and what it pushed."""
    seen = []
    see = PythonOperator(
        task_id="see",
        python_callable=lambda ti: seen.append(ti.xcom_pull(task_id, key=key)),
        trigger_rule="all_done",
        dag=dag,
    )
    dag.get_task(task_id) >> see
    return run(dag)[task_id], seen[0]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ('echo a; echo b; printf "c"', "c"),
        ("echo a; echo", ""),
        ("true", ""),
        ("echo out; echo err >&2", "err"),
    ],
)
def test_example_7_1_the_last_line_is_the_result(dag, run, command, expected):
    BashOperator(task_id="t", bash_command=command, dag=dag)

    assert result_of(dag, run) == ("success", expected)


@pytest.mark.parametrize(("append", "expected"), [(False, "x:"), (True, "x:/home/me")])
def test_example_7_2_the_environment(dag, run, monkeypatch, append, expected):
    monkeypatch.setenv("HOME", "/home/me")
    BashOperator(
        task_id="t", bash_command="echo $FOO:$HOME", env={"FOO": "x"}, append_env=append, dag=dag
    )

    assert result_of(dag, run) == ("success", expected)


@pytest.mark.parametrize(
    ("command", "arguments", "state"),
    [
        ("exit 99", {}, "skipped"),
        ("exit 1", {"skip_on_exit_code": [1, 2]}, "skipped"),
        ("exit 99", {"skip_on_exit_code": None}, "failed"),
    ],
)
def test_example_7_3_exit_codes_that_skip(dag, run, command, arguments, state):
    BashOperator(task_id="t", bash_command=command, retries=0, dag=dag, **arguments)

    assert run(dag)["t"] == state


def test_example_7_4_the_output_is_processed(dag, run):
    BashOperator(task_id="t", bash_command="echo '{\"a\":1}'", output_processor=json.loads, dag=dag)

    assert result_of(dag, run) == ("success", {"a": 1})


def test_example_7_5_a_branch_to_a_group_follows_its_roots(dag, run):
    with dag:
        branch = BranchPythonOperator(task_id="t", python_callable=lambda: "grp")
        with TaskGroup("grp") as group:
            EmptyOperator(task_id="x1") >> EmptyOperator(task_id="x2")
        branch >> [group, EmptyOperator(task_id="other")]

    states = run(dag)

    assert (states["grp.x1"], states["grp.x2"], states["other"]) == (
        "success",
        "success",
        "skipped",
    )


@pytest.mark.parametrize(("ignores_rules", "expected"), [(True, "skipped"), (False, "success")])
def test_example_7_6_a_short_circuit(dag, run, ignores_rules, expected):
    with dag:
        (
            ShortCircuitOperator(
                task_id="sc",
                python_callable=lambda: False,
                ignore_downstream_trigger_rules=ignores_rules,
            )
            >> EmptyOperator(task_id="d1")
            >> EmptyOperator(task_id="d2", trigger_rule="all_done")
        )

    states = run(dag)

    assert (states["d1"], states["d2"]) == ("skipped", expected)


def test_example_7_8_a_day_that_is_none(dag):
    with pytest.raises(AttributeError, match="Foo"):
        BranchDayOfWeekOperator(
            task_id="t",
            follow_task_ids_if_true="a",
            follow_task_ids_if_false="b",
            week_day="Foo",
            dag=dag,
        )
