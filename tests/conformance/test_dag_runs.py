"""300 random DAGs end as they do in Airflow: decided by the scheduler's own function."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from excused_runs import EXCUSED
from reference_run import ReferenceRun
from tradewind.sdk.states import FINISHED

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "dag-runs.json").read_text()
)


def ids(case: dict[str, Any]) -> str:
    return str(case["id"])


@pytest.mark.parametrize("case", [c for c in CASES if c["id"] not in EXCUSED], ids=ids)
def test_a_random_dag_ends_as_it_does_in_airflow(case: dict[str, Any]) -> None:
    run = ReferenceRun(case)

    run.run()

    assert {"run": str(run.state), "tasks": run.states()} == case["expected"]


@pytest.mark.parametrize("case", [c for c in CASES if c["id"] in EXCUSED], ids=ids)
def test_an_excused_case_is_still_different(case: dict[str, Any]) -> None:
    """An excuse that is no longer needed has to go."""
    run = ReferenceRun(case)

    run.run()

    assert {"run": str(run.state), "tasks": run.states()} != case["expected"]


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_random_dag_comes_to_an_end_with_one_slot_too(case: dict[str, Any]) -> None:
    """The reference run fails where a finished state would change, or where nothing moves."""
    run = ReferenceRun(case, one_at_a_time=True)

    run.run()

    assert all(row.state in FINISHED for row in run.rows.values())
