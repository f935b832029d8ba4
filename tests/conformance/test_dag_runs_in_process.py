"""The recorded DAG runs again, with real operators, by ``dag.test()``."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from excused_runs import EXCUSED
from real_dags import build

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "dag-runs.json").read_text()
)


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """Thousands of tasks that fail on purpose need not say so."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_a_random_dag_of_real_operators_ends_as_it_does_in_airflow(case: dict[str, Any]) -> None:
    run = build(case).test()

    states = {one.label: str(one.state) for one in run.get_task_instances()}
    is_equal = {"run": str(run.state), "tasks": states} == case["expected"]
    assert is_equal == (case["id"] not in EXCUSED)
