from datetime import UTC, datetime

import pytest
from tradewind.runtime.task.memory_runtime import MemoryRuntime, TaskState

DATE = datetime(2026, 1, 1, tzinfo=UTC)
RUN = {"dag_id": "d", "run_id": "r", "logical_date": DATE, "run_after": DATE}


@pytest.fixture
def runtime() -> MemoryRuntime:
    return MemoryRuntime(
        RUN,
        lambda: [
            TaskState("a", -1, "", "success"),
            TaskState("g.m", 0, "g", "success"),
            TaskState("g.m", 1, "g", "failed"),
        ],
    )


def push(runtime: MemoryRuntime, task_id: str, map_index: int, value: str) -> None:
    runtime.set_xcom(
        dag_id="d",
        run_id="r",
        task_id=task_id,
        map_index=map_index,
        key="k",
        value=value,
        length=None,
    )


def pull(runtime: MemoryRuntime, *task_ids: str, key: str | None = "k") -> list[str]:
    rows = runtime.get_xcoms(
        dag_id="d",
        run_id="r",
        task_ids=task_ids or None,
        key=key,
        map_indexes=None,
        include_prior_dates=False,
    )
    return [row.value for row in rows]


def test_xcoms_come_in_the_order_of_task_ids_then_of_map_indexes(runtime):
    push(runtime, "m", 1, "m1")
    push(runtime, "a", -1, "a")
    push(runtime, "m", 0, "m0")

    assert pull(runtime, "m", "a") == ["m0", "m1", "a"]
    assert pull(runtime, "m", key="other") == []


def test_a_try_removes_what_earlier_ones_of_its_own_index_pushed(runtime):
    push(runtime, "m", 0, "m0")
    push(runtime, "m", 1, "m1")

    runtime.delete_xcoms(dag_id="d", run_id="r", task_id="m", map_index=0)

    assert pull(runtime, "m") == ["m1"]


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({}, 3),
        ({"task_ids": ["a"]}, 1),
        ({"states": ["success"]}, 2),
        ({"task_group_id": "g", "map_index": 1}, 1),
        ({"logical_dates": [DATE.replace(year=2020)]}, 0),
        ({"run_ids": ["another"]}, 0),
        ({"dag_id": "another"}, 0),
    ],
)
def test_task_instances_of_the_run_are_counted(runtime, asked, count):
    names = ("task_ids", "task_group_id", "logical_dates", "run_ids", "states", "map_index")
    nothing = dict.fromkeys(names)

    assert runtime.count_task_instances(**({"dag_id": "d"} | nothing | asked)) == count


def test_states_are_named_as_people_name_mapped_instances(runtime):
    states = runtime.get_task_states(dag_id="d", run_ids=["r"], task_ids=["g.m"])

    assert states == {"r": {"g.m[0]": "success", "g.m[1]": "failed"}}


def test_a_run_of_another_dag_is_noted_once_and_counts_as_succeeded(runtime):
    def trigger(*, reset: bool = False):
        return runtime.trigger_dag_run(
            dag_id="other",
            run_id="x",
            logical_date=None,
            run_after=None,
            conf={"a": 1},
            reset=reset,
            note=None,
            fail_when_paused=False,
        )

    assert trigger() == {"run_id": "x", "created": True, "error": ""}
    assert trigger()["error"] == "exists"
    assert trigger(reset=True)["created"]
    assert runtime.get_dag_run(dag_id="other", run_id="x")["state"] == "success"
    assert runtime.get_dag_run(dag_id="other", run_id="y") is None
