"""The real standard provider package beside Tradewind: each operator and sensor runs.

``.ci/run`` unpacks the wheels into the folder that ``TRADEWIND_AIRFLOW_PROVIDERS`` names.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = os.environ.get("TRADEWIND_AIRFLOW_PROVIDERS", "")
ALL = {"t": "success", "a": "success", "b": "success"}
ONE_WAY = {**ALL, "b": "skipped"}
NONE_BELOW = {"t": "success", "a": "skipped", "b": "skipped"}
FAILED = {"t": "failed", "a": "upstream_failed", "b": "upstream_failed"}
EXPECTED = {
    "bash_skip": {"t": "skipped", "a": "skipped", "b": "skipped"},
    "branch_python": ONE_WAY,
    "branch_time": ONE_WAY,
    "branch_day": ONE_WAY,
    "ask_branch": ONE_WAY,
    "short_circuit": NONE_BELOW,
    "ask_no": NONE_BELOW,
    "ask_late": FAILED,
    "ask_no_fails": FAILED,
    "sensor_external": {"first": "success", "t": "success"},
    "sensor_external_deferred": {"first": "success", "t": "success"},
    "decorated": {
        "say": "success",
        "choose": "success",
        "a": "success",
        "b": "skipped",
        "go_on": "success",
        "ready": "success",
        "elsewhere": "success",
    },
    "mapped": {"t[0]": "success", "t[1]": "success"},
    "stub": ["other_language"],
}


@pytest.mark.skipif(not FOLDER, reason="TRADEWIND_AIRFLOW_PROVIDERS names no folder")
def test_operators_and_sensors_of_the_standard_provider_end_as_in_airflow(tmp_path):
    script = Path(__file__).with_name("run_provider.py")
    environment = {**os.environ, "TRADEWIND_HOME": str(tmp_path)}

    ran = subprocess.run(
        [sys.executable, str(script), FOLDER],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment,
    )

    assert ran.stdout, ran.stderr[-2000:]  # the exit code is that of the cases that are to fail
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found.pop("is_the_real_one") is True
    assert len(found) >= 40
    assert found == {name: EXPECTED.get(name, ALL) for name in found}
