"""What the tests of this folder share; they import the modules beside them (no packages here)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tradewind.sdk.dag import DAG

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def make_dag() -> Callable[..., DAG]:
    """Return a maker of DAGs of either generation: ``make_dag("d", dialect="2")``."""

    def make(dag_id: str = "d", *args: Any, dialect: str = "3", **kwargs: Any) -> DAG:
        return DAG(dag_id, *args, _dialect=dialect, **kwargs)

    return make


@pytest.fixture
def run_to_end() -> Iterator[Callable[..., dict[str, str]]]:
    """Return a function that runs a DAG by ``dag.test()``; it tells how tasks and run ended."""
    logging.disable(logging.CRITICAL)

    def run_dag(dag: DAG, **arguments: Any) -> dict[str, str]:
        ended = dag.test(**arguments)
        states = {one.label: str(one.state) for one in ended.get_task_instances()}
        return {**states, "run": str(ended.state)}

    yield run_dag
    logging.disable(logging.NOTSET)
