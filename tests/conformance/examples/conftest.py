"""What the checkable examples of ``spec/semantics.md`` share: each test is named by its number."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tradewind.sdk.dag import DAG

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def make_dag() -> Callable[..., DAG]:
    """Return a maker of DAGs of either generation: ``make_dag("d", dialect="2")``."""

    def make(dag_id: str = "d", *args: Any, dialect: str = "3", **kwargs: Any) -> DAG:
        return DAG(dag_id, *args, _dialect=dialect, **kwargs)

    return make


@pytest.fixture
def dag(make_dag: Callable[..., DAG]) -> DAG:
    """A DAG of Airflow 3 without a schedule."""
    return make_dag(schedule=None, start_date=START)


@pytest.fixture
def run() -> Iterator[Callable[..., dict[str, str]]]:
    """Return a function that runs a DAG to its end: instance → state, and ``run`` → the run's."""
    logging.disable(logging.CRITICAL)

    def run_dag(dag: DAG, **arguments: Any) -> dict[str, str]:
        ended = dag.test(**arguments)
        states = {one.label: str(one.state) for one in ended.get_task_instances()}
        return {**states, "run": str(ended.state)}

    yield run_dag
    logging.disable(logging.NOTSET)
