"""170 more random DAGs end as in Airflow 3.3.2: with several setups, and with more trigger rules.

Recorded by ``dag.test()``, in the form of ``dag-runs.json``. Airflow looks at a run in rounds, and
in a round it sees the states from before that round. So what is skipped there waits one round for
what is below it, and a failure that comes meanwhile wins; and a failure that is passed on in the
same round comes too late for a skip that was seen before. Here everything that is known counts at
once, and a failure wins over a skip.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from real_dags import build
from reference_run import ReferenceRun

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "dag-runs-setups.json").read_text()
)

TOO_LATE = "the failure is passed on in the round in which the skip is seen"
ONE_ROUND = "what is skipped waits a round for what is below it, and something fails meanwhile"
EXCUSED = {
    "setups_011": TOO_LATE,
    "setups_030": ONE_ROUND,
    "setups_032": ONE_ROUND,
    "setups_033": TOO_LATE,
    "setups_060": ONE_ROUND,
    "setups_073": ONE_ROUND,
    "setups_084": TOO_LATE,
    "setups_091": ONE_ROUND,
    "setups_093": ONE_ROUND,
    "setups_104": TOO_LATE,
    "setups_128": TOO_LATE,
}


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """Tasks that fail on purpose need not say so."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def ids(case: dict[str, Any]) -> str:
    return str(case["id"])


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_decided_run_ends_as_it_does_in_airflow(case: dict[str, Any]) -> None:
    run = ReferenceRun(case)

    run.run()

    is_equal = {"run": str(run.state), "tasks": run.states()} == case["expected"]
    assert is_equal == (case["id"] not in EXCUSED)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_run_of_real_operators_ends_as_it_does_in_airflow(case: dict[str, Any]) -> None:
    run = build(case).test()

    states = {one.label: str(one.state) for one in run.get_task_instances()}
    is_equal = {"run": str(run.state), "tasks": states} == case["expected"]
    assert is_equal == (case["id"] not in EXCUSED)
