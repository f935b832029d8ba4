"""What a host does ahead is not done again by a task that it forks."""

from __future__ import annotations

import subprocess
import sys

from tradewind.runtime.task.warm_up import warm_up
from tradewind.sdk.call_arguments import parameters_of
from tradewind.sdk.dag import DAG
from tradewind.sdk.param import Param

_PROGRAM = """
import sys
from tradewind.runtime.task.warm_up import warm_up
from tradewind.sdk.dag import DAG
from tradewind.sdk.param import Param

dag = DAG("d", schedule=None, params={"n": Param(3, type="integer")})
before = "jsonschema" in sys.modules
warm_up([dag])
known = set(sys.modules)
dag.params.validate()
print(before, "jsonschema" in known, sorted(set(sys.modules) - known))
"""


def test_what_checks_params_is_imported_before_the_fork() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], check=True, capture_output=True, text=True
    )
    assert done.stdout.split(maxsplit=2) == ["False", "True", "[]\n"]


def test_a_default_that_its_schema_refuses_is_left_to_the_task() -> None:
    dag = DAG("d", schedule=None)
    dag.params._params["n"] = Param("three", type="integer")
    warm_up([dag])
    assert dag.params.get_param("n").value == "three"


def test_what_a_plain_function_takes_is_looked_up_once() -> None:
    def function(ds: str) -> str:
        return ds

    assert parameters_of(function) is parameters_of(function)
    assert [parameter.name for parameter in parameters_of(function)] == ["ds"]
