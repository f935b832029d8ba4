"""What tests of authoring share: operators without behaviour, and DAGs of either dialect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from tradewind.sdk import task_decorators
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.dag import DAG

START = datetime(2024, 1, 1, tzinfo=UTC)


class FunctionOperator(BaseOperator):
    """Stands in for the Python operator, which lives a floor above."""

    template_fields: Sequence[str] = ("op_args", "op_kwargs", "templates_dict")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Any = None,
        op_kwargs: Any = None,
        templates_dict: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.python_callable = python_callable
        self.op_args = op_args or []
        self.op_kwargs = op_kwargs or {}
        self.templates_dict = templates_dict


@pytest.fixture
def task(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``@task`` over the stand-in operator."""
    made = task_decorators.join(FunctionOperator, "@task")
    monkeypatch.setattr(task_decorators, "decorated_class", lambda name: made)
    return task_decorators.TaskDecorators()


@pytest.fixture
def make_dag(monkeypatch: pytest.MonkeyPatch) -> Callable[..., DAG]:
    """Return a maker of DAGs: ``make_dag("name", dialect="2", schedule=None)``."""

    def make(dag_id: str = "example", *args: Any, dialect: str = "3", **kwargs: Any) -> DAG:
        return DAG(dag_id, *args, _dialect=dialect, **kwargs)

    return make


@pytest.fixture
def dag(make_dag: Callable[..., DAG]) -> DAG:
    """A DAG of Airflow 3 without a schedule."""
    return make_dag(schedule=None)
