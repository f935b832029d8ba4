"""Builds the DAG of a conformance case out of real operators, as a DAG file would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradewind.operators.branch import BranchPythonOperator
from tradewind.operators.python import PythonOperator
from tradewind.operators.short_circuit import ShortCircuitOperator
from tradewind.sdk.dag import DAG
from tradewind.sdk.exceptions import AirflowSkipException


def act(kind: str) -> str:
    """Return, raise or skip, as *kind* says."""
    if kind == "fail":
        raise ValueError("as it should")
    if kind == "skip":
        raise AirflowSkipException("as it should")
    return "value"


def build(case: Mapping[str, Any]) -> DAG:
    """Return the DAG of *case*."""
    with DAG(case["id"], schedule=None) as dag:
        tasks = {task["id"]: _operator(task) for task in case["tasks"]}
    for task in case["tasks"]:
        for upstream_id in task["upstream"]:
            tasks[upstream_id] >> tasks[task["id"]]
    for task in case["tasks"]:
        if task.get("setup"):
            tasks[task["id"]].as_setup()
        if task.get("teardown"):
            tasks[task["id"]].as_teardown(
                on_failure_fail_dagrun=task.get("on_failure_fail_dagrun", False)
            )
    return dag


def _operator(task: Mapping[str, Any]) -> Any:
    kind = task["kind"]
    common: dict[str, Any] = {
        "task_id": task["id"],
        "trigger_rule": task["trigger_rule"],
        "retries": task.get("retries", 0),
        "retry_delay": 0,
    }
    if kind == "mapped":
        return PythonOperator.partial(**common, python_callable=act).expand(
            op_args=[[one] for one in task["expand"]]
        )
    if kind == "branch":
        follow = task["follow"]
        return BranchPythonOperator(**common, python_callable=lambda: follow)
    if kind == "short_circuit":
        result = task["result"]
        return ShortCircuitOperator(
            **common,
            python_callable=lambda: result,
            ignore_downstream_trigger_rules=task["ignore_downstream_trigger_rules"],
        )
    return PythonOperator(**common, python_callable=act, op_args=[kind])
