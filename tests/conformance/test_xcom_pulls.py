"""What ``ti.xcom_pull`` returns: recorded from Airflow 2.11.2 and 3.3.2, for DAGs of each.

In the run there were: ``push`` (returns ``{"a": 1, "b": "deux"}`` and pushes ``extra`` and
``nested`` before), ``other`` (7), ``nothing`` (None), ``mapped`` (10, 20, 30), ``one`` (mapped:
10) and ``part`` (mapped: 1, None, 3). Lazy sequences are recorded as lists.

``here_3`` stands beside what differs on purpose (semantics section 8.1, row 20 of section 11): a
default counts, and neither one instance nor ``map_indexes=None`` turns a list into a value.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tradewind.runtime.task.memory_runtime import MemoryRuntime
from tradewind.sdk.dag_run import DagRun
from tradewind.sdk.task_instance import RuntimeTaskInstance

RECORDED = json.loads((Path(__file__).parent / "data" / "xcom-pulls.json").read_text())
DAG_RUN = {"dag_id": "templates", "run_id": "manual"}
PUSHED = [
    ("push", -1, "extra", [1, "two"]),
    ("push", -1, "nested", {"l": [{"k": 1}, {"k": 2}], "t": "x"}),
    ("push", -1, "return_value", {"a": 1, "b": "deux"}),
    ("other", -1, "return_value", 7),
    *(("mapped", index, "return_value", 10 * index + 10) for index in range(3)),
    ("one", 0, "return_value", 10),
    ("part", 0, "return_value", 1),
    ("part", 2, "return_value", 3),
]


@pytest.mark.parametrize("dialect", ["2", "3"])
@pytest.mark.parametrize("case", RECORDED, ids=lambda case: str(case["arguments"]))
def test_a_pull_returns_what_it_does_in_airflow(case: dict[str, Any], dialect: str) -> None:
    if f"airflow_{dialect}" not in case:
        pytest.skip("Airflow 3 refuses key=None")
    runtime = MemoryRuntime(dag_run=DAG_RUN, list_states=lambda: [])
    for task_id, map_index, key, value in PUSHED:
        runtime.set_xcom(
            **DAG_RUN,
            task_id=task_id,
            map_index=map_index,
            key=key,
            value=json.dumps(value),
            length=None,
        )
    task = SimpleNamespace(task_id="case", dag=SimpleNamespace(dialect=dialect))
    ti = RuntimeTaskInstance(
        task=task, dag_run=DagRun("templates", "manual", DAG_RUN), runtime=runtime
    )

    pulled = ti.xcom_pull(**case["arguments"])

    assert pulled == case.get(f"here_{dialect}", case[f"airflow_{dialect}"])
