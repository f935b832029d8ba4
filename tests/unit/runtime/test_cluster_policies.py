"""``airflow_local_settings.py``: what it asks of all DAGs holds wherever they are loaded."""

from __future__ import annotations

import sys
from datetime import timedelta

import pytest
from tradewind.runtime.task.dag_file import load_dag_file, prepare_import_paths
from tradewind.sdk.cluster_policies import MODULE, more_context_variables

DAGS = """
from datetime import datetime
from airflow import DAG
from airflow.operators.bash import BashOperator

for name in ("good", "bad"):
    with DAG(name, schedule=None, start_date=datetime(2024, 1, 1), tags=[name]) as dag:
        BashOperator(task_id="plain", bash_command="true")
        BashOperator.partial(task_id="mapped").expand(bash_command=["true", "false"])
    globals()[name] = dag
"""


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Write local settings and a DAG file, and import the latter as every process does."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "config").mkdir()
    prepare_import_paths([tmp_path / "config"])
    modules = set(sys.modules)

    def load_with(settings: str):
        (tmp_path / "config" / f"{MODULE}.py").write_text(settings)
        (tmp_path / "dags.py").write_text(DAGS)
        sys.modules.pop(MODULE, None)
        return load_dag_file(tmp_path / "dags.py")

    yield load_with
    for name in set(sys.modules) - modules:
        if name == MODULE or name.endswith("dags"):
            del sys.modules[name]


def test_a_task_policy_changes_plain_and_mapped_tasks(load):
    loaded = load(
        "from datetime import timedelta\n"
        "def task_policy(task):\n"
        "    task.execution_timeout = timedelta(hours=1)\n"
        "    task.queue = 'policed'\n"
    )

    tasks = [task for dag in loaded.dags.values() for task in dag.tasks]
    assert len(tasks) == 4
    assert {task.execution_timeout for task in tasks} == {timedelta(hours=1)}
    assert {task.queue for task in tasks} == {"policed"}
    mapped = loaded.dags["good"].get_task("mapped")
    assert mapped.unmap({"bash_command": "true"}).execution_timeout == timedelta(hours=1)


def test_a_dag_that_a_policy_refuses_is_named_and_the_others_load(load):
    loaded = load(
        "from airflow.exceptions import AirflowClusterPolicyViolation\n"
        "def dag_policy(dag):\n"
        "    if 'bad' in dag.tags:\n"
        "        raise AirflowClusterPolicyViolation('needs an owner')\n"
    )

    assert list(loaded.dags) == ["good"]
    assert loaded.refusals == ["AirflowClusterPolicyViolation: DAG bad: needs an owner"]


def test_a_dag_that_a_policy_skips_is_no_error(load):
    loaded = load(
        "from airflow.exceptions import AirflowClusterPolicySkipDag\n"
        "def dag_policy(dag):\n"
        "    if dag.dag_id == 'bad':\n"
        "        raise AirflowClusterPolicySkipDag\n"
    )

    assert (list(loaded.dags), loaded.refusals) == (["good"], [])
    assert loaded.skipped_dag_ids == ["bad"]


def test_a_policy_that_fails_names_its_line_and_lets_nothing_through(load, tmp_path):
    loaded = load("def policy(task):\n    task.no.such.thing\n")

    assert loaded.dags == {}
    assert [text.partition(":")[0] for text in loaded.refusals] == ["AirflowClusterPolicyError"] * 2
    assert loaded.refusals[0].endswith(f"({tmp_path}/config/{MODULE}.py, line 2)")


def test_settings_that_cannot_be_imported_let_nothing_through(load):
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        load("import no_such_module\n")


def test_without_local_settings_all_dags_load(load, tmp_path):
    loaded = load("STATE_COLORS = {}\n")
    (tmp_path / "config" / f"{MODULE}.py").unlink()

    assert set(loaded.dags) == {"good", "bad"}
    assert set(load_dag_file(tmp_path / "dags.py").dags) == {"good", "bad"}


def test_context_variables_of_ones_own_are_added(load):
    load("def get_airflow_context_vars(context):\n    return {'TEAM': context['team'], 'N': 1}\n")

    assert more_context_variables({"team": "blue"}) == {"TEAM": "blue", "N": "1"}
