"""Airflow's own example DAGs load, and end as they do in Airflow.

The examples are no part of this repository: ``.ci/run`` takes them out of Airflow's wheels and
says in ``TRADEWIND_AIRFLOW_EXAMPLES`` where they are, one folder for each distribution. What
became of their runs in Airflow itself was recorded once, by ``dag.test()`` for 2026-11-18, into
``data/airflow-examples.json``; there also stands what is not loaded or not run, and why. Two of
them import httpx, two requests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import airflow

HERE = Path(__file__).parent
RECORDED: dict[str, Any] = json.loads((HERE / "data" / "airflow-examples.json").read_text())
FOLDER = os.environ.get("TRADEWIND_AIRFLOW_EXAMPLES")

pytestmark = pytest.mark.skipif(
    FOLDER is None, reason="TRADEWIND_AIRFLOW_EXAMPLES does not say where the examples are"
)


@pytest.fixture(scope="module", params=sorted(RECORDED))
def examples(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is recorded of one distribution, and what becomes of its files here."""
    recorded = RECORDED[request.param]
    home = tmp_path_factory.mktemp("home")
    unpacked = Path(str(FOLDER)) / request.param
    (home / "airflow").symlink_to(Path(str(airflow.__file__)).parent)  # ours before theirs
    asked = home / "asked.json"
    asked.write_text(json.dumps({file: sorted(runs) for file, runs in recorded["runs"].items()}))
    done = subprocess.run(
        [sys.executable, HERE / "run_examples.py", unpacked / recorded["folder"], asked],
        env={
            **{name: value for name, value in os.environ.items() if "AIRFLOW__" not in name},
            "TRADEWIND_HOME": str(home),
            "PYTHONPATH": os.pathsep.join([str(home), str(unpacked)]),
        },
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return recorded, json.loads(done.stdout)


def test_all_files_load_but_for_those_that_are_named(examples):
    recorded, found = examples
    failed = {file: result["error"] for file, result in found.items() if "error" in result}

    assert not {file: error for file, error in failed.items() if file not in recorded["not_loaded"]}


def test_runs_end_as_in_airflow(examples):
    recorded, found = examples

    different = {
        dag_id: found[file]["runs"].get(dag_id)
        for file, runs in recorded["runs"].items()
        for dag_id, expected in runs.items()
        if {key: found[file]["runs"].get(dag_id, {}).get(key) for key in expected} != expected
    }

    assert different == {}


def test_at_least_95_of_100_files_load():
    folders = [Path(str(FOLDER)) / name / one["folder"] for name, one in RECORDED.items()]
    files = [path for folder in folders for path in folder.glob("*.py") if path.stem != "__init__"]
    missing = [file for one in RECORDED.values() for file in one["not_loaded"]]

    assert len(files) == 119
    assert len(missing) / len(files) <= 0.05
