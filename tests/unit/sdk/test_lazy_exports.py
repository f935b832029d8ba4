"""Importing ``tradewind.sdk`` is cheap, and its names are all there."""

from __future__ import annotations

import subprocess
import sys

import pytest
import tradewind.sdk


@pytest.mark.parametrize("name", tradewind.sdk.__all__)
def test_every_exported_name_is_there(name):
    assert getattr(tradewind.sdk, name) is not None


def test_the_decorators_are_not_hidden_by_modules_of_their_names():
    from tradewind.sdk import dag, task_group

    assert callable(dag)
    assert callable(task_group)


def test_declaring_a_dag_loads_none_of_the_heavy_libraries():
    program = """
import sys
from tradewind.sdk import DAG, BaseOperator
with DAG("a", schedule="@daily", params={"x": 1}):
    BaseOperator(task_id="a") >> BaseOperator(task_id="b")
heavy = {"jinja2", "jsonschema", "msgspec", "rich", "croniter", "sqlalchemy", "flask", "inspect"}
print(sorted(heavy & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "[]"
