"""The façade for editors: stubs that say what the tables say, and type-check a user's file."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

FILE = """
from datetime import datetime, timedelta

import airflow.models
from airflow import DAG, Dataset
from airflow.decorators import task_group
from airflow.models.baseoperator import chain
from airflow.operators.bash import BashOperator
from airflow.operators.dummy_operator import DummyOperator
from airflow.operators.python import PythonOperator
from airflow.sdk import Asset, Variable, dag, task
from airflow.utils.trigger_rule import TriggerRule

with DAG("classic", schedule="@daily", start_date=datetime(2024, 1, 1), catchup=False) as classic:
    one = BashOperator(task_id="one", bash_command="true", retries=2)
    two = PythonOperator(task_id="two", python_callable=print, op_args=[1])
    three = DummyOperator(task_id="three", trigger_rule=TriggerRule.ALL_DONE)
    one >> [two, three]
    chain(one, two, three)


@dag(schedule=timedelta(hours=1), start_date=datetime(2024, 1, 1), tags=["a"])
def modern() -> None:
    @task
    def extract() -> list[int]:
        return [1, 2]

    @task(retries=3)
    def load(x: int) -> int:
        return x

    @task_group
    def grouped() -> None:
        load.expand(x=extract())

    grouped()


modern()
reveal_type(airflow.models.Variable)
"""

WRONG = """
DAG(5)
BashOperator(task_id="x", bash_comand="true")
from airflow.sdk import no_such_name
"""


def script():
    spec = importlib.util.spec_from_file_location("make_stubs", ROOT / ".ci" / "make_stubs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stubs_say_what_the_tables_say():
    """Otherwise: python .ci/make_stubs.py."""
    made = script()
    wanted = made.stubs()

    there = {path: path.read_text() for path in made.FOLDER.rglob("*") if path.is_file()}
    assert there == wanted


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """Run mypy over one file, with the façade as a type checker sees it."""
    root = tmp_path_factory.mktemp("types")
    (root / "tradewind").symlink_to(ROOT)
    (root / "airflow").symlink_to(ROOT / "airflow-stubs")

    def run(text):
        (root / "user_dag.py").write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--config-file", os.devnull, "--follow-imports=silent",
             "--ignore-missing-imports", "--cache-dir", str(root / "cache"), "user_dag.py"],
            cwd=root,
            env={**os.environ, "MYPYPATH": str(root)},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        return done.stdout

    return run


def test_a_users_file_type_checks(check):
    said = check(FILE)

    assert "Success" in said
    assert "tradewind.sdk.variable.Variable" in said


def test_what_is_wrong_in_it_is_found(check):
    said = check(FILE + WRONG)

    assert 'Argument 1 to "DAG" has incompatible type "int"' in said
    assert 'Missing named argument "bash_command"' in said
    assert 'no attribute "no_such_name"' in said
