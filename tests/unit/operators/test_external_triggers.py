"""Triggers that watch other DAGs, through what a triggerer would store and ask."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.operators.triggers.external_task import DagStateTrigger, WorkflowTrigger
from tradewind.runtime.task.memory_runtime import MemoryRuntime
from tradewind.runtime.task.outcome import describe_deferral
from tradewind.runtime.task.protocol import Ask, encode
from tradewind.runtime.task.run_trigger import run_inline
from tradewind.sdk import task_runtime, xcom_serialization
from tradewind.sdk.exceptions import TaskDeferred

DATE = datetime(2024, 1, 1, tzinfo=UTC)


class Asked(MemoryRuntime):
    """Encodes what it is asked, as a socket would, and knows one run."""

    __slots__ = ()

    def count_dag_runs(self, **conditions):
        encode(Ask("count_dag_runs", conditions))
        return super().count_dag_runs(**conditions)


@pytest.fixture
def asked(monkeypatch):
    run = {"dag_id": "o", "run_id": "r", "logical_date": DATE, "state": "failed"}
    runtime = Asked(dag_run=run, list_states=lambda: [])
    monkeypatch.setattr(task_runtime, "current", runtime)


def payload_of(trigger):
    report = run_inline(describe_deferral(TaskDeferred(trigger=trigger, method_name="m")))
    assert report.error == ""
    return xcom_serialization.decode(report.payload)


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ({"failed_states": ["failed"]}, "failed"),
        ({"skipped_states": ["failed"]}, "skipped"),
        ({"allowed_states": ["failed"]}, "success"),
    ],
)
def test_a_workflow_trigger_says_what_became_of_the_runs(asked, states, status):
    trigger = WorkflowTrigger(external_dag_id="o", logical_dates=[DATE], **states)

    assert payload_of(trigger) == {"status": status}


def test_a_dag_state_trigger_names_the_state_of_its_run(asked):
    trigger = DagStateTrigger(dag_id="o", states=["success", "failed"], run_ids=["r"])

    _, told = payload_of(trigger)

    assert (told["run_ids"], told["run_state"]) == (["r"], "failed")
