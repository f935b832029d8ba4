from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.control.clear import ClearRequest, clear, preview, requests_for
from tradewind.control.delete import delete_dag
from tradewind.control.explain import why_not_running
from tradewind.control.input import InvalidInput
from tradewind.control.mark import mark_run, mark_task
from tradewind.control.runs import find_run, get_run, list_runs
from tradewind.control.trigger import trigger_dag
from tradewind.database.errors import DagNotFound, NotAllowed, NotFound

DATE = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture
def run(services, add_dag):
    add_dag()
    return trigger_dag(services, "sales", run_id="mine", logical_date=DATE)


@pytest.mark.parametrize("named", ["mine", "2024-03-01", "2024-03-01T00:00:00+00:00", "1 Mar 2024"])
def test_a_run_is_found_by_its_id_or_its_logical_date(services, run, named):
    assert get_run(services, "sales", named).id == run.id


def test_a_run_that_is_not_there(services, run):
    assert find_run(services, "sales", "2025-01-01") is None
    with pytest.raises(NotFound, match="no run with run id or logical date 'yours'"):
        get_run(services, "sales", "yours")
    with pytest.raises(DagNotFound):
        find_run(services, "nope", "mine")


def test_runs_are_listed_newest_first_by_state_and_date(services, run):
    trigger_dag(services, "sales", run_id="later")

    assert [row.run_id for row in list_runs(services, "sales")] == ["later", "mine"]
    assert list_runs(services, "sales", states=["running"]) == []
    assert [row.run_id for row in list_runs(services, "sales", logical_to=DATE)] == ["mine"]


def test_a_marked_task_is_cleared_again_with_what_lies_below(services, run):
    mark_task(services, "sales", "mine", "a", "success")
    states = services.store.task_instances.states(dag_id="sales", run_ids=["mine"])
    assert states["mine"]["a"] == "success"

    request = ClearRequest("sales", task_pattern="^a$", include_downstream=True)
    previewed = preview(services, request)
    cleared = clear(services, request)

    assert [row.task_id for row in previewed] == ["a", "b"] == [row.task_id for row in cleared]
    states = services.store.task_instances.states(dag_id="sales", run_ids=["mine"])
    assert states["mine"]["a"] == "none"


def test_a_person_cannot_give_the_state_running(services, run):
    with pytest.raises(NotAllowed):
        mark_task(services, "sales", "mine", "a", "running")


def test_a_run_is_marked(services, run):
    assert mark_run(services, "sales", "mine", "failed").state == "failed"


def test_clearing_by_a_pattern_of_dag_ids_makes_a_request_for_each(services, add_dag):
    add_dag("x1")
    add_dag("x2")
    add_dag("y")

    requests = requests_for(services, ClearRequest("^x"), is_dag_pattern=True)

    assert [request.dag_id for request in requests] == ["x1", "x2"]
    with pytest.raises(InvalidInput, match="No DAG id matches"):
        requests_for(services, ClearRequest("^z"), is_dag_pattern=True)


def test_a_task_of_a_paused_dag_is_explained(services, run):
    reasons = why_not_running(services, "sales", "mine", "a")

    assert any("paused" in reason for reason in reasons)


def test_a_deleted_dag_is_gone_with_its_runs(services, run):
    delete_dag(services, "sales")

    with pytest.raises(DagNotFound):
        list_runs(services, "sales")
    with pytest.raises(DagNotFound):
        delete_dag(services, "sales")
