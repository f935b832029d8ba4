"""Checkable examples 5: states. 5.1 (the matrix) stands in unit/sdk/test_trigger_rules.py, 5.7
(pools) and 5.9 (a run that takes too long) in rows/test_section_5_states.py.
"""

from __future__ import annotations

import sys

from tradewind.operators.branch import BranchPythonOperator
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.python import PythonOperator
from tradewind.sdk.exceptions import AirflowSkipException


def failing():
    raise ValueError("as it should")


def skipping():
    raise AirflowSkipException


def test_example_5_2_retries(dag, run):
    tries = []

    def attempt(ti):
        tries.append((ti.try_number, ti.max_tries))
        failing()

    PythonOperator(task_id="t", python_callable=attempt, retries=2, retry_delay=0, dag=dag)

    assert run(dag)["t"] == "failed"
    assert tries == [(1, 2), (2, 2), (3, 2)]


def test_example_5_3_sys_exit_0_is_a_success_in_both_generations(make_dag, run):
    for dialect in "23":
        dag = make_dag(dialect=dialect, schedule=None)
        PythonOperator(task_id="t", python_callable=lambda: sys.exit(0), dag=dag)

        assert run(dag)["t"] == "success"


def test_example_5_4_branches(dag, run):
    with dag:
        b1 = BranchPythonOperator(task_id="b1", python_callable=lambda: ["x", "y"])
        x = BranchPythonOperator(task_id="x", python_callable=lambda: None)
        x1, y, z, z2 = (EmptyOperator(task_id=name) for name in ("x1", "y", "z", "z2"))
        end = EmptyOperator(task_id="end", trigger_rule="none_failed_min_one_success")
        b1 >> [x, y, z]
        x >> x1
        z >> z2
        [x1, y, z2] >> end

    assert run(dag) == {
        "b1": "success", "x": "success", "x1": "skipped", "y": "success", "z": "skipped",
        "z2": "skipped", "end": "success", "run": "success",
    }  # fmt: skip


def test_example_5_5_a_branch_to_nowhere(dag, run):
    with dag:
        branch = BranchPythonOperator(task_id="b", python_callable=lambda: "nowhere", retries=0)
        branch >> EmptyOperator(task_id="c")

    assert run(dag) == {"b": "failed", "c": "upstream_failed", "run": "failed"}


def test_example_5_6_setup_and_teardown(make_dag, run):
    ends = {}
    for case, setup, work in (
        ("setup fails", failing, int),
        ("work fails", int, failing),
        ("setup skipped", skipping, int),
    ):
        with (dag := make_dag(schedule=None)):
            s = PythonOperator(task_id="s", python_callable=setup, retries=0).as_setup()
            w = PythonOperator(task_id="w", python_callable=work, retries=0)
            t = EmptyOperator(task_id="t").as_teardown(setups=s)
            s >> w >> t
        states = run(dag)
        ends[case] = (states["w"], states["t"])

    assert ends == {
        "setup fails": ("upstream_failed", "upstream_failed"),
        "work fails": ("failed", "success"),
        "setup skipped": ("skipped", "skipped"),
    }


def test_example_5_8_a_skipped_task_calls_no_success_callback(make_dag, run):
    for dialect in "23":  # semantics section 11, row 11: as Airflow 3, for both
        called = []
        dag = make_dag(dialect=dialect, schedule=None)
        PythonOperator(
            task_id="t",
            python_callable=skipping,
            on_success_callback=lambda context, called=called: called.append("success"),
            on_skipped_callback=lambda context, called=called: called.append("skipped"),
            dag=dag,
        )

        assert run(dag)["t"] == "skipped"
        assert called == ["skipped"]
