"""Params of a DAG as its tasks see them: semantics 1.6."""

from __future__ import annotations

import pytest
from tradewind.operators.empty import EmptyOperator
from tradewind.sdk.dag import DAG
from tradewind.sdk.exceptions import ParamValidationError
from tradewind.sdk.param import Param


def test_a_required_param_needs_no_value_before_a_run_is_made():
    with DAG("form", schedule=None, params={"name": Param(type="string")}):
        task = EmptyOperator(task_id="greet")

    assert list(task.params) == ["name"]


def test_a_task_keeps_the_schema_of_the_dags_param():
    with DAG("form", schedule=None, params={"count": Param(1, type="integer"), "word": "x"}):
        task = EmptyOperator(task_id="greet", params={"word": "y"})

    assert task.params.dump() == {"count": 1, "word": "y"}
    with pytest.raises(ParamValidationError, match="count"):
        task.params["count"] = "many"
