"""Commands that run tasks, each in a process of its own, on a home with two DAG files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = """
import os
from datetime import datetime
from airflow.sdk import DAG, task

with DAG("good", schedule="@daily", start_date=datetime(2024, 1, 1)) as dag:
    @task
    def first(who):
        print("hello", who, os.environ.get("COLOUR"))
        return [1, 2]

    @task
    def second(number):
        return number + 1

    second.expand(number=first("{{ dag_run.conf.get('who', 'nobody') }}"))

if __name__ == "__main__":
    dag.cli()
"""
BAD = """
from datetime import datetime
from airflow import DAG
from airflow.operators.bash import BashOperator

with DAG("bad", schedule_interval="@daily", start_date=datetime(2024, 1, 1)) as dag:
    BashOperator(task_id="fails", bash_command="exit 3")
    BashOperator(task_id="unclear", bash_command="echo {{ nothing.here }}")
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "dags").mkdir()
    (home / "dags" / "good.py").write_text(GOOD)
    (home / "dags" / "bad.py").write_text(BAD)
    return home


@pytest.fixture
def call(home):
    """Run a command; return the finished process."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW_", "TRADEWIND_"))}
    settings = {"TRADEWIND_HOME": str(home), "TRADEWIND__CORE__LOAD_EXAMPLES": "False"}

    def call(*words: str, program: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        start = program or ("-c", "from tradewind.cli.main import main; main()")
        return subprocess.run(
            [sys.executable, *start, *words],
            capture_output=True,
            text=True,
            timeout=60,
            env={**kept, **settings},
            cwd=home,
            stdin=subprocess.DEVNULL,
        )

    return call


def test_a_dag_runs_in_memory_and_leaves_no_database(call, home):
    done = call("dags", "test", "good", "2024-01-01", "-c", '{"who": "Ada"}')

    assert done.returncode == 0, done.stderr
    assert "hello Ada" in done.stdout
    assert "second[1] success" in done.stdout
    assert not (home / "tradewind.db").exists()


def test_a_failed_run_is_exit_code_1(call):
    done = call("dags", "test", "bad")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "DagRun failed"


def test_one_task_runs_with_its_environment_and_no_other_task(call):
    done = call("tasks", "test", "good", "first", "2024-01-01", "--env-vars", '{"COLOUR": "blue"}')

    assert done.returncode == 0, done.stderr
    assert "hello nobody blue" in done.stdout
    assert "second" not in done.stdout


def test_a_failing_task_is_exit_code_1_with_its_reason(call):
    done = call("tasks", "test", "bad", "fails")

    assert done.returncode == 1
    assert "Task fails failed:" in done.stderr
    assert "3" in done.stderr


def test_a_mapped_task_needs_its_index(call):
    done = call("tasks", "test", "good", "second")

    assert (done.returncode, done.stderr) == (
        1,
        "Task 'second' is mapped: say which with --map-index.\n",
    )


def test_template_fields_are_rendered_in_blocks(call):
    done = call("tasks", "render", "good", "first", "2024-01-05")

    rule = "# " + "-" * 58
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{rule}\n# property: ")


def test_a_template_with_a_mistake_is_one_line(call):
    done = call("tasks", "render", "bad", "unclear", "2024-01-05")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Task 'unclear' cannot be rendered: UndefinedError: 'nothing' is undefined\n"
    )


def test_a_dag_file_is_a_command_line_about_its_dag(call, home):
    done = call("tasks", "list", program=(str(home / "dags" / "good.py"),))

    assert (done.returncode, done.stdout) == (0, "first\nsecond\n"), done.stderr


def test_a_backfill_without_a_server_runs_to_its_end_and_only_once(call):
    command = ("backfill", "create", "--dag-id", "good", "--from-date", "2024-01-01")

    done = call(*command, "--to-date", "2024-01-03")
    again = call(*command, "--to-date", "2024-01-03")
    runs = json.loads(call("dags", "list-runs", "good", "-o", "json").stdout)

    assert done.returncode == 0, done.stderr
    assert "is paused; its backfill runs nevertheless" in done.stderr
    assert "3 run(s) succeeded, 0 failed" in done.stderr
    assert again.returncode == 0
    assert "Nothing to do" in again.stderr
    assert [run["state"] for run in runs] == ["success"] * 3


def test_dags_of_a_file_that_is_gone_are_not_listed(call, home):
    path = home / "dags" / "gone.py"
    path.write_text(GOOD.replace('"good"', '"gone"'))
    before = call("dags", "list", "-o", "json").stdout
    path.unlink()

    after = call("dags", "list", "-o", "json").stdout

    assert [row["dag_id"] for row in json.loads(before)] == ["bad", "gone", "good"]
    assert [row["dag_id"] for row in json.loads(after)] == ["bad", "good"]


def test_a_file_that_does_not_load_is_listed_with_exit_code_1_until_it_does(call, home):
    path = home / "dags" / "broken.py"
    path.write_text("from airflow import DAG\nimport not_there_yet\n")

    broken = call("dags", "list-import-errors", "-o", "json")
    (home / "plugins").mkdir()
    (home / "plugins" / "not_there_yet.py").write_text("")
    mended = call("dags", "list-import-errors", "-o", "json")
    path.unlink()

    assert broken.returncode == 1
    assert "No module named 'not_there_yet'" in json.loads(broken.stdout)[0]["error"]
    assert (mended.returncode, mended.stdout) == (0, "[]\n")
    assert f"No DAG in {path}: no DAG object at module level" in mended.stderr


def test_a_dag_file_outside_the_folder_is_a_command_line_about_its_dag(call, tmp_path):
    path = tmp_path / "elsewhere.py"
    path.write_text(GOOD.replace('"good"', '"elsewhere"'))

    listed = call("tasks", "list", program=(str(path),))
    shown = call("dags", "show", program=(str(path),))

    assert (listed.returncode, listed.stdout) == (0, "first\nsecond\n")
    assert (shown.returncode, '"first" -> "second"' in shown.stdout) == (0, True)
