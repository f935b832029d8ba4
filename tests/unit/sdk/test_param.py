"""Params: semantics section 1.6."""

from __future__ import annotations

import copy

import pytest
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.exceptions import AirflowException, ParamValidationError
from tradewind.sdk.param import Param, ParamsDict


@pytest.mark.parametrize(
    ("param", "value"),
    [
        (Param(None, type="string"), None),
        (Param("a", enum=["a", "b"]), "c"),
        (Param(3, type="integer", minimum=1), 0),
        (Param("x", schema={"type": "string", "maxLength": 1}), "xx"),
        (Param("2024-01-01", type="string", format="date"), "no date"),
        (Param(), object()),
    ],
)
def test_a_value_against_the_schema_is_refused(param, value):
    with pytest.raises(ParamValidationError) as caught:
        param.resolve(value)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, AirflowException)
    assert param.resolve(value, suppress_exception=True) is None


def test_none_is_a_value_where_the_schema_allows_it():
    assert Param(None, type=["null", "string"]).resolve() is None


def test_a_param_without_value_needs_one():
    with pytest.raises(ParamValidationError):
        Param(type="integer").resolve()
    assert not Param().has_value


def test_a_resolved_value_is_kept():
    param = Param(3, type="integer")

    param.resolve(7)

    assert param.resolve() == 7


def test_assigning_a_value_keeps_the_schema_and_a_param_replaces_it():
    params = ParamsDict({"n": Param(3, type="integer"), "plain": 1})

    params["n"] = 5
    with pytest.raises(ParamValidationError, match="n"):
        params["n"] = "five"
    params["plain"] = Param("x", type="string")

    assert params["n"] == 5
    assert params.dump() == {"n": 5, "plain": "x"}


def test_the_first_wrong_param_is_named_and_dumped_as_none():
    params = ParamsDict({"good": 1, "wrong": Param(type="integer")})

    with pytest.raises(ParamValidationError, match="wrong"):
        params.validate()
    assert params.dump() == {"good": 1, "wrong": None}


def test_copies_do_not_share_values():
    params = ParamsDict({"n": Param(3, type="integer")})

    for other in (copy.copy(params), copy.deepcopy(params), ParamsDict(params)):
        other["n"] = 9

    assert params["n"] == 3


def test_airflow_2_only_warns_of_what_is_no_json(make_dag):
    strange = {"when": {1, 2}}

    with pytest.raises(ParamValidationError):
        make_dag(schedule=None, params=strange).params.validate()
    with pytest.warns(DeprecationWarning, match="when"):
        make_dag(dialect="2", schedule=None, params=strange).params.validate()


def test_a_task_takes_a_required_param_of_its_dag_and_keeps_the_schema(make_dag):
    with make_dag(schedule=None, params={"n": Param(type="integer"), "m": Param(1, minimum=1)}):
        task = BaseOperator(task_id="a", params={"m": 5})
        with pytest.raises(ParamValidationError):
            BaseOperator(task_id="b", params={"m": 0})

    assert task.params.get_param("n").schema == {"type": "integer"}
    assert (task.params["m"], task.params.get_param("m").schema) == (5, {"minimum": 1})
