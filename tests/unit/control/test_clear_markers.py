"""A clear goes on to the tasks that ``ExternalTaskMarker`` stands for (semantics 5.12, 6.3)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.control.clear import ClearRequest, clear, preview
from tradewind.control.input import InvalidInput
from tradewind.database.values import NewRun
from tradewind.sdk.serialized import SerializedTask

DAY = datetime(2024, 5, 20, tzinfo=UTC)


def marker(to: str, *, task_id="a", date="{{ logical_date.isoformat() }}", depth=10):
    return SerializedTask(
        task_id="m",
        task_type="ExternalTaskMarker",
        external_marker={
            "dag_id": to, "task_id": task_id, "logical_date": date, "depth": depth
        },
        is_empty=True,
    )  # fmt: skip


@pytest.fixture
def add_run(services, add_dag):
    def add(dag_id, *tasks, day=DAY):
        add_dag(dag_id, **({"tasks": list(tasks)} if tasks else {}))
        run = NewRun(dag_id, f"r{day.day}", "manual", run_after=day, logical_date=day)
        services.store.runs.create(run, services.now())

    return add


def names(rows):
    return sorted(f"{row.dag_id}.{row.task_id} {row.run_id}" for row in rows)


def test_the_task_behind_a_marker_and_all_below_it_are_cleared_too(services, add_run):
    add_run("child")
    add_run("child", day=datetime(2024, 5, 21, tzinfo=UTC))
    add_run("parent", marker("child"))

    assert names(preview(services, ClearRequest("parent"))) == [
        "child.a r20", "child.b r20", "parent.m r20"
    ]  # fmt: skip
    assert names(clear(services, ClearRequest("parent"))) == [
        "child.a r20", "child.b r20", "parent.m r20"
    ]  # fmt: skip


def test_the_date_of_the_other_run_is_a_template(services, add_run):
    add_run("child", day=datetime(2024, 5, 21, tzinfo=UTC))
    add_run("parent", marker("child", date="{{ macros.ds_add(ds, 1) }}"))

    assert "child.a r21" in names(preview(services, ClearRequest("parent")))


def test_markers_that_name_each_other_are_followed_once(services, add_run):
    add_run("one", marker("two", task_id="m"))
    add_run("two", marker("one", task_id="m"))

    cleared = set(names(clear(services, ClearRequest("one"))))

    assert cleared == {"one.m r20", "two.m r20"}


def test_a_clear_that_goes_too_far_clears_nothing(services, add_run):
    add_run("three")
    add_run("two", marker("three"))
    add_run("one", marker("two", task_id="m", depth=1))

    with pytest.raises(InvalidInput, match=r"more than 1 markers.*recursion_depth.*'one'"):
        clear(services, ClearRequest("one"))


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (marker("gone"), "'m' of DAG 'parent'.*'gone', and there is no such DAG"),
        (marker("parent", task_id="x"), "'m' of DAG 'parent'.*'x', which DAG 'parent'"),
        (marker("parent", date="{{ nothing }}"), "'m' of DAG 'parent'.*nothing"),
    ],
)
def test_a_marker_that_leads_nowhere_is_named(services, add_run, wrong, text):
    add_run("parent", wrong)

    with pytest.raises(InvalidInput, match=text):
        preview(services, ClearRequest("parent"))
