"""What the checkable examples of ``spec/semantics.md`` share: each test is named by its number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from tradewind.sdk.dag import DAG

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def dag(make_dag: Callable[..., DAG]) -> DAG:
    """A DAG of Airflow 3 without a schedule."""
    return make_dag(schedule=None, start_date=START)


@pytest.fixture
def run(run_to_end: Callable[..., dict[str, str]]) -> Callable[..., dict[str, str]]:
    """Return a function that runs a DAG to its end: instance → state, and ``run`` → the run's."""
    return run_to_end
