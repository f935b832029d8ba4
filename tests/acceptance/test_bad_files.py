"""A bad DAG file makes an import error that says what happened, and harms nobody else."""

from __future__ import annotations

import json

import pytest

HEAD = "from airflow.sdk import dag, task\n"
BAD_FILES = {
    "syntax_error.py": (HEAD + "def broken(:\n", "SyntaxError"),
    "endless_loop.py": (HEAD + "while True:\n    pass\n", "time"),
    "leaves.py": (HEAD + "import sys\nsys.exit()\n", "sys.exit"),
    "too_large.py": (
        HEAD + "import time\nblocks = []\nfor n in range(40):\n"
        "    blocks.append(bytearray(b'x') * (64 * 1024 * 1024))\n    time.sleep(0.02)\n",
        "memory",
    ),
    "kills_parent.py": (HEAD + "import os\nos.kill(os.getppid(), 9)\n", "its parent"),
    "crashes.py": (HEAD + "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "SIGSEGV"),
}
GOOD = """
from datetime import datetime
from airflow.sdk import dag, task

@dag(schedule="@once", start_date=datetime(2024, 1, 1), is_paused_upon_creation=False)
def good():
    @task
    def one():
        return 1
    one()

good()
"""


@pytest.fixture
def errors(deployment):
    """Return relative path → error text, once every bad file has one, and the good DAG ran."""
    deployment.environment["TRADEWIND__CORE__DAGBAG_IMPORT_TIMEOUT"] = "6"
    deployment.environment["TRADEWIND__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT"] = "8"
    for name, (text, _) in BAD_FILES.items():
        deployment.write_dag(name, text)
    deployment.write_dag("good.py", GOOD)
    deployment.start()
    deployment.wait_for_run("good")

    def all_errors() -> dict[str, str] | None:
        done = deployment.cli("dags", "list-import-errors", "-o", "json", code=None)
        found = {row["filepath"]: row["error"] for row in json.loads(done.stdout or "[]")}
        return found if len(found) == len(BAD_FILES) else None

    return deployment.wait_until(all_errors, "an import error for each bad file")


def test_each_bad_file_has_an_import_error_that_says_what_happened(errors) -> None:
    said = {
        name: next(error for path, error in errors.items() if path.endswith(name))
        for name in BAD_FILES
    }

    assert {name: word in said[name] for name, (_, word) in BAD_FILES.items()} == dict.fromkeys(
        BAD_FILES, True
    ), said
