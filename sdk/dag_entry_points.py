"""``dag.test()`` and ``dag.cli()``: both live floors above; they are looked up by name."""

from __future__ import annotations

import importlib
from typing import Any

_PACKAGE = __package__.rpartition(".")[0]


def run_test(dag: Any, *args: Any, **kwargs: Any) -> Any:
    """Run *dag* in this process and return its dag run.

    Raises:
        AirflowDagCycleException: and whatever else ``dag.validate()`` finds.
    """
    from .exceptions import InvalidArgumentError

    kwargs.pop("session", None)  # Airflow 2 handed a database session down
    if len(args) > 1:
        raise InvalidArgumentError("dag.test() takes one positional argument: the date of the run")
    if args:
        kwargs["execution_date" if dag.dialect == "2" else "run_after"] = args[0]
    dag.validate()
    in_process = importlib.import_module(f"{_PACKAGE}.runtime.in_process")
    return in_process.run_dag(dag, **kwargs)


def run_command_line(dag: Any) -> None:
    """Read ``sys.argv`` as a command about *dag*."""
    dag.check_cycle()
    main = importlib.import_module(f"{_PACKAGE}.cli.dag_file")
    main.main(dag)
