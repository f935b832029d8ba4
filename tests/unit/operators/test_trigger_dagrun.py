"""``TriggerDagRunOperator`` (semantics section 7.7)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.operators.trigger_dagrun import TriggerDagRunOperator
from tradewind.sdk import timezone

NOW = datetime(2024, 3, 6, tzinfo=UTC)


class Triggering:
    """Answers a trigger, and shows the run in one state after the other."""

    def __init__(self, world, *states, error=""):
        self.asked = []
        self._states = list(states)
        self._error = error
        world.runtime.__class__ = type(
            "Runtime",
            (type(world.runtime),),
            {
                "__slots__": (),
                "trigger_dag_run": lambda _, **request: self._answer(request),
                "get_dag_run": lambda _, **names: {"state": self._states.pop(0)},
            },
        )

    def _answer(self, request):
        self.asked.append(request)
        run_id = request["run_id"] or "manual__made_up"
        return {"run_id": run_id, "created": not self._error, "error": self._error}


def trigger(world, **kwargs):
    TriggerDagRunOperator(
        task_id="t", trigger_dag_id="other", poke_interval=0, dag=world.dag, **kwargs
    )
    with timezone.frozen(NOW):
        return world.run("t")


def test_the_run_is_asked_for_and_its_id_is_pushed(world):
    other = Triggering(world)

    trigger(world, conf={"day": "{{ ds }}"}, note="n", reset_dag_run=True)

    assert other.asked == [
        {
            "dag_id": "other",
            "run_id": None,
            "logical_date": NOW,
            "run_after": None,
            "conf": {"day": "2024-03-05"},
            "reset": True,
            "note": "n",
            "fail_when_paused": False,
        }
    ]
    assert world.xcoms("t") == {"trigger_run_id": "manual__made_up"}


@pytest.mark.parametrize(
    ("given", "logical_date"),
    [
        ({}, NOW),
        ({"logical_date": None}, None),
        ({"run_after": "2024-04-01T00:00:00+00:00"}, None),
        ({"logical_date": "2024-05-01T02:00:00+02:00"}, datetime(2024, 5, 1, tzinfo=UTC)),
        ({"execution_date": datetime(2024, 5, 1, tzinfo=UTC)}, datetime(2024, 5, 1, tzinfo=UTC)),
        ({"logical_date": "{{ ds }}"}, datetime(2024, 3, 5, tzinfo=UTC)),
    ],
    ids=repr,
)
def test_the_logical_date_is_as_given_or_now(world, given, logical_date):
    other = Triggering(world)

    assert trigger(world, **given).outcome == "success"
    assert other.asked[0]["logical_date"] == logical_date


@pytest.mark.parametrize(("skips", "outcome"), [(False, "failed_final"), (True, "skipped")])
def test_a_run_that_exists_fails_the_task_or_skips_it(world, skips, outcome):
    Triggering(world, error="exists")

    result = trigger(world, trigger_run_id="r", skip_when_already_exists=skips)

    assert result.outcome == outcome
    assert "'r'" in result.reason


def test_a_refusal_fails_the_task_with_its_text(world):
    Triggering(world, error="there is no DAG other")

    result = trigger(world)

    assert (result.outcome, "there is no DAG other" in result.reason) == ("failed", True)


@pytest.mark.parametrize(
    ("states", "kwargs", "outcome"),
    [
        (["queued", "running", "success"], {}, "success"),
        (["failed"], {}, "failed"),
        (["failed", "success"], {"failed_states": []}, "success"),
        (["success", "failed"], {"allowed_states": ["failed"], "failed_states": []}, "success"),
    ],
)
def test_waiting_ends_with_the_triggered_run(world, states, kwargs, outcome):
    Triggering(world, *states)

    assert trigger(world, wait_for_completion=True, **kwargs).outcome == outcome


@pytest.mark.parametrize("conf", [{"x": object()}, "{", "[1]"])
def test_a_conf_that_is_no_json_object_fails_the_task(world, conf):
    other = Triggering(world)

    assert trigger(world, conf=conf).outcome == "failed"
    assert other.asked == []


def test_a_date_of_another_type_is_refused_when_the_dag_is_declared(world):
    with pytest.raises(TypeError, match="logical_date"):
        TriggerDagRunOperator(task_id="t", trigger_dag_id="other", logical_date=5, dag=world.dag)
