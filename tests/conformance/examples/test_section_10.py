"""Checkable examples 10: setup and teardown, dag.test(). 10.4 and 10.5 (backfills) stand in
conformance/rows/test_section_10_backfills.py, 10.6 (deadlines) in unit/sdk/test_deadline.py.
"""

from __future__ import annotations

import pytest
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.python import PythonOperator


def failing():
    raise ValueError("as it should")


def test_example_10_1_a_setup_that_fails(dag, run):
    with dag:
        s = PythonOperator(task_id="s", python_callable=failing, retries=0).as_setup()
        w = EmptyOperator(task_id="w")
        s >> w >> EmptyOperator(task_id="td").as_teardown(setups=s)

    assert run(dag) == {
        "s": "failed", "w": "upstream_failed", "td": "upstream_failed", "run": "failed"
    }  # fmt: skip


@pytest.mark.parametrize(("fails_run", "expected"), [(False, "success"), (True, "failed")])
def test_example_10_1_a_teardown_that_fails(dag, run, fails_run, expected):
    with dag:
        s = EmptyOperator(task_id="s").as_setup()
        td = PythonOperator(task_id="td", python_callable=failing, retries=0)
        (
            s
            >> EmptyOperator(task_id="w")
            >> td.as_teardown(setups=s, on_failure_fail_dagrun=fails_run)
        )

    assert run(dag)["run"] == expected


def test_example_10_2_a_teardown_as_a_block(dag):
    with dag:
        s, td, before = (EmptyOperator(task_id=name) for name in ("s", "td", "before"))
        with td.as_teardown(setups=s):
            EmptyOperator(task_id="w1")

    edges = {(up.task_id, down) for up in dag.tasks for down in up.downstream_task_ids}
    assert edges == {("s", "w1"), ("w1", "td"), ("s", "td")}
    assert not before.downstream_task_ids


def test_example_10_3_a_setup_is_no_teardown(dag):
    with pytest.raises(ValueError, match="setup"):
        EmptyOperator(task_id="s", dag=dag).as_setup().as_teardown()


def test_example_10_7_tasks_that_succeed_without_running(dag, run):
    called = []
    for task_id in ("wait_x", "xwait_"):
        PythonOperator(task_id=task_id, python_callable=called.append, op_args=[task_id], dag=dag)

    states = run(dag, mark_success_pattern="wait_.*")

    assert (states["wait_x"], states["xwait_"], called) == ("success", "success", ["xwait_"])
