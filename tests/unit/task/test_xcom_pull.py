"""``ti.xcom_pull`` (semantics section 8.1, the recommended column)."""

from __future__ import annotations

import json

import pytest
from tradewind.runtime.task.memory_runtime import MemoryXCom
from tradewind.sdk import task_runtime
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.configuration import conf
from tradewind.sdk.dag_run import DagRun
from tradewind.sdk.task_instance import RuntimeTaskInstance
from tradewind.sdk.xcom import BaseXCom, XCom


@pytest.fixture
def ti(world, monkeypatch):
    monkeypatch.setattr(task_runtime, "current", world.runtime)
    task = BaseOperator(task_id="me", dag=world.dag)
    dag_run = DagRun("d", world.dag_run["run_id"], world.dag_run)
    return RuntimeTaskInstance(task=task, dag_run=dag_run, runtime=world.runtime)


@pytest.fixture(autouse=True)
def pushed(world):
    def push(task_id, value, key="return_value", map_index=-1):
        world.runtime.set_xcom(
            dag_id="d",
            run_id=world.dag_run["run_id"],
            task_id=task_id,
            map_index=map_index,
            key=key,
            value=json.dumps(value),
            length=None,
        )

    push("t", 1)
    push("t", "x", key="k")
    push("me", "own")
    push("a", "A")
    push("c", "C")
    for index in (0, 2):
        push("mapped", index * 10, map_index=index)
    push("single", "only", map_index=0)


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ({"task_ids": "t"}, 1),
        ({"task_ids": "t", "key": "k"}, "x"),
        ({"task_ids": "missing"}, None),
        ({"task_ids": "missing", "default": "D"}, "D"),
        ({"task_ids": "t", "key": "missing", "default": "D"}, "D"),
        ({"task_ids": "missing", "default": "D", "map_indexes": -1}, "D"),
        ({"task_ids": ["c", "missing", "a"]}, ["C", None, "A"]),
        ({"task_ids": ("a", "missing"), "default": 0}, ["A", 0]),
        ({"task_ids": []}, []),
        ({}, "own"),
        ({"key": "k"}, None),
        ({"task_ids": "mapped"}, [0, 20]),
        ({"task_ids": "single"}, ["only"]),
        ({"task_ids": "mapped", "map_indexes": 2}, 20),
        ({"task_ids": "mapped", "map_indexes": 1, "default": "D"}, "D"),
        ({"task_ids": "mapped", "map_indexes": [2, 0]}, [20, 0]),
        ({"task_ids": "mapped", "map_indexes": [2, 1]}, [20, None]),
        ({"task_ids": "mapped", "map_indexes": None}, [0, 20]),
        ({"task_ids": ["t", "mapped"]}, [1, 0, 20]),
        ({"task_ids": ["single", "missing", "mapped"]}, ["only", None, 0, 20]),
        ({"task_ids": ["mapped", "single"], "map_indexes": [2, 0]}, [20, 0, None, "only"]),
        ({"task_ids": ["t", "mapped"], "map_indexes": 2}, [None, 20]),
        ({"task_ids": "t", "key": None}, "x"),
        ({"task_ids": "t", "dag_id": "other"}, None),
        ({"task_ids": "t", "run_id": "other"}, None),
    ],
    ids=str,
)
def test_what_a_pull_returns(ti, call, value):
    assert ti.xcom_pull(**call) == value


@pytest.fixture
def ti_of_airflow_2(ti):
    ti.task.dag.dialect = "2"
    return ti


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ({}, ["C", "A", "own", 1, "only", 0, 20]),  # a mapped task pushed last: all, by index
        ({"key": "k"}, "x"),
        ({"key": "missing", "default": "D"}, "D"),
        ({"map_indexes": -1}, "C"),
        ({"task_ids": ["c", "missing", "a"]}, ["C", "A"]),
        ({"task_ids": ["t", "mapped"]}, [1, 0, 20]),
        ({"task_ids": ["mapped"], "map_indexes": [2, 0, 1]}, [20, 0]),
        ({"task_ids": []}, []),
        ({"task_ids": ["a", "a"]}, ["A"]),
        ({"task_ids": "mapped", "map_indexes": [2, 1]}, [20]),
        ({"task_ids": "mapped", "map_indexes": 1, "default": "D"}, "D"),
    ],
    ids=str,
)
def test_a_dag_of_airflow_2_pulls_from_any_task_and_only_what_is_there(
    ti_of_airflow_2, call, value
):
    """Row 9 of section 11; observed in Airflow 2.11.2."""
    pulled = ti_of_airflow_2.xcom_pull(**call)

    assert pulled == value


def test_what_was_pushed_last_is_what_a_dag_of_airflow_2_pulls(ti_of_airflow_2, world):
    for task_id in ("first", "second", "first"):
        world.runtime.set_xcom(
            dag_id="d",
            run_id=world.dag_run["run_id"],
            task_id=task_id,
            map_index=-1,
            key="k",
            value=json.dumps(task_id),
            length=None,
        )

    assert ti_of_airflow_2.xcom_pull(key="k") == "first"


def test_of_several_runs_the_newest_one_that_pushed_counts(ti, monkeypatch):
    rows = [
        MemoryXCom("new", "b", -1, "return_value", '"b of new"'),
        MemoryXCom("old", "b", -1, "return_value", '"b of old"'),
        MemoryXCom("old", "c", 0, "return_value", '"c0"'),
        MemoryXCom("old", "c", 1, "return_value", '"c1"'),
    ]
    asked = []

    class Prior:
        def get_xcoms(self, **where):
            asked.append(where["include_prior_dates"])
            return rows

    ti._runtime = Prior()

    assert ti.xcom_pull(["b", "c"], include_prior_dates=True) == ["b of new", "c0", "c1"]
    assert asked == [True]


@pytest.mark.parametrize("key", ["", None, 5])
def test_a_key_must_be_a_text(ti, key):
    with pytest.raises(ValueError, match="XCom key"):
        ti.xcom_push(key, 1)


def test_pushing_again_replaces_the_value(ti):
    ti.xcom_push("k", 1)
    ti.xcom_push("k", [2])

    assert ti.xcom_pull(key="k") == [2]


def test_all_instances_of_a_mapped_task_come_as_a_lazy_sequence(ti):
    values = ti.xcom_pull_mapped(task_id="mapped")

    assert (len(values), values[1], values[-1], values[:1]) == (2, 20, 20, [0])
    assert values == [0, 20]
    assert values != [0]
    ti.xcom_push("again", values)
    assert ti.xcom_pull(key="again") == [0, 20]


def test_xcom_reads_and_writes_by_name(ti, world):
    names = {"dag_id": "d", "run_id": world.dag_run["run_id"]}

    XCom.set("k", {"a": 1}, task_id="x", **names)

    assert XCom.get_one(key="k", task_id="x", **names) == {"a": 1}
    assert XCom.get_one(key="nope", task_id="x", **names) is None
    assert XCom.get_all(task_id="mapped", **names) == [0, 20]
    assert XCom.get_value(ti_key=ti.key, key="return_value") == "own"


class Backend(BaseXCom):
    """Keeps large values elsewhere, and stores where."""

    kept: dict = {}  # noqa: RUF012 - a place elsewhere

    @staticmethod
    def serialize_value(value, *, key=None, task_id=None, **names):
        Backend.kept[task_id, key] = value
        return BaseXCom.serialize_value(f"elsewhere:{task_id}:{key}")

    @staticmethod
    def deserialize_value(result):
        _, task_id, key = BaseXCom.deserialize_value(result).split(":")
        return Backend.kept[task_id, key]


def test_a_backend_of_ones_own_keeps_values_elsewhere(ti, world, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "own_backend", sys.modules[Backend.__module__])
    monkeypatch.setenv("AIRFLOW__CORE__XCOM_BACKEND", "own_backend.Backend")
    conf.reset()
    try:
        ti.xcom_push("k", b"raw bytes")

        assert world.xcoms("me")["k"] == "elsewhere:me:k"
        assert ti.xcom_pull(key="k") == b"raw bytes"
    finally:
        monkeypatch.undo()
        conf.reset()
