"""Templates render as Apache Airflow renders them: every recorded case, through a whole task."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tradewind.operators.python import PythonOperator
from tradewind.runtime.task.execute import execute_task
from tradewind.runtime.task.memory_runtime import MemoryRuntime
from tradewind.runtime.task.task_spec import TaskInstanceSpec
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.configuration import conf
from tradewind.sdk.dag import DAG

RECORDED = json.loads((Path(__file__).parent / "data" / "templates.json").read_text())
RUN_ID = "manual__2024-02-29T00:00:00+00:00"
#: As recorded: the run was started by ``dag.test``, which is no external trigger.
DAG_RUN = {
    "dag_id": "templates",
    "run_id": RUN_ID,
    "run_type": "manual",
    "state": "running",
    "logical_date": datetime(2024, 2, 29, tzinfo=UTC),
    "data_interval_start": datetime(2024, 2, 28, tzinfo=UTC),
    "data_interval_end": datetime(2024, 2, 29, tzinfo=UTC),
    "run_after": datetime(2024, 2, 29, tzinfo=UTC),
    "external_trigger": False,
    "conf": {"x": "conf-x"},
}


class RenderOnly(BaseOperator):
    """Has one templated field, and does nothing."""

    template_fields = ("text",)

    def __init__(self, *, text, **kwargs):
        super().__init__(**kwargs)
        self.text = text

    def execute(self, context):
        return None


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name, value in RECORDED["setup"]["env"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW__CORE__DIALECT", "2")
    conf.reset()
    yield
    monkeypatch.undo()
    conf.reset()


def push(ti):
    ti.xcom_push(key="extra", value=[1, "two"])
    return {"a": 1, "b": "deux"}


def templates_dag(case_id, template):
    with DAG(
        "templates",
        schedule="@daily",
        start_date=datetime(2024, 1, 1, tzinfo=UTC),
        catchup=False,
        tags=["b", "a"],
        params={"greeting": "hi", "n": 41},
        user_defined_macros={"my_macro": lambda v: v * 2},
        user_defined_filters={"shout": str.upper},
    ) as dag:
        pushing = PythonOperator(task_id="push", python_callable=push)
        other = PythonOperator(task_id="other", python_callable=lambda: 7)
        case = RenderOnly(task_id=f"r{case_id[-3:]}", text=template)
        [pushing, other] >> case
    return dag, case


def run(dag, task_id, runtime):
    result = execute_task(
        dag=dag,
        task=dag.get_task(task_id),
        spec=TaskInstanceSpec(dag.dag_id, RUN_ID, task_id, dag_run=DAG_RUN),
        runtime=runtime,
        log=logging.getLogger("test"),
    )
    for xcom in result.xcoms:
        runtime.set_xcom(
            dag_id=dag.dag_id,
            run_id=RUN_ID,
            task_id=task_id,
            map_index=-1,
            key=xcom.key,
            value=xcom.value,
            length=xcom.length,
        )
    return result


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("case", RECORDED["cases"], ids=[c["id"] for c in RECORDED["cases"]])
def test_a_recorded_template_renders_to_the_same_text(case):
    dag, task = templates_dag(case["id"], case["template"])
    runtime = MemoryRuntime(dag_run=DAG_RUN, list_states=lambda: [])
    run(dag, "push", runtime)
    run(dag, "other", runtime)

    result = run(dag, task.task_id, runtime)

    assert result.outcome == case["state"]
    assert result.rendered_fields == {"text": case["rendered"]}
