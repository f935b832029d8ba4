"""``DagBag``, as users' own tests use it."""

from __future__ import annotations

import pytest
from tradewind.scheduler.dag_bag import DagBag

GOOD = """
from airflow import DAG
from airflow.decorators import task

with DAG("{dag_id}", schedule=None):
    @task
    def hello():
        return 1

    hello()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sales.py").write_text(GOOD.format(dag_id="sales"))
    (tmp_path / "broken.py").write_text("from airflow import DAG\nDAG(1 / 0)\n")
    (tmp_path / "leaves.py").write_text("import sys\nfrom airflow import DAG\nsys.exit('why')\n")
    (tmp_path / "plain.py").write_text("raise RuntimeError('no mention of us')\n")
    (tmp_path / ".airflowignore").write_text("ignored.py\n")
    (tmp_path / "ignored.py").write_text(GOOD.format(dag_id="ignored"))
    return tmp_path


def test_the_bag_has_the_dags_of_a_folder_and_the_errors_of_its_files(folder):
    bag = DagBag(dag_folder=folder, include_examples=False)

    assert bag.dag_ids == ["sales"]
    assert bag.size() == 1
    assert bag.get_dag("sales").task_ids == ["hello"]
    assert bag.get_dag("other") is None
    assert {path.rpartition("/")[2] for path in bag.import_errors} == {"broken.py", "leaves.py"}
    assert "ZeroDivisionError" in bag.import_errors[str(folder / "broken.py")]


def test_without_safe_mode_every_file_is_loaded(folder):
    bag = DagBag(folder, safe_mode=False)

    assert "no mention of us" in bag.import_errors[str(folder / "plain.py")]


def test_one_file_can_be_loaded_alone(folder):
    assert DagBag(folder / "sales.py").dag_ids == ["sales"]


def test_nothing_is_loaded_before_it_is_asked_for(folder):
    bag = DagBag(folder, collect_dags=False)

    assert bag.dags == {}
    assert [dag.dag_id for dag in bag.process_file(str(folder / "sales.py"))] == ["sales"]


def test_two_files_with_the_same_dag_id_are_an_error_of_the_second(folder):
    (folder / "zz_twin.py").write_text(GOOD.format(dag_id="sales"))

    bag = DagBag(folder)

    assert bag.get_dag("sales").fileloc == str(folder / "sales.py")
    assert "sales" in bag.import_errors[str(folder / "zz_twin.py")]
