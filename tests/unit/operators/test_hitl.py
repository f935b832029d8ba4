"""Tasks that ask a person (semantics 7.9)."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tradewind.operators import hitl
from tradewind.operators.empty import EmptyOperator
from tradewind.operators.hitl import (
    ApprovalOperator,
    HITLBranchOperator,
    HITLEntryOperator,
    HITLOperator,
)
from tradewind.operators.human_questions import (
    HITLUser,
    get_hitl_detail_content_detail,
    update_hitl_detail_response,
    upsert_hitl_detail,
)
from tradewind.sdk import timezone
from tradewind.sdk.base_operator import BaseOperator
from tradewind.sdk.exceptions import AirflowException, TaskAwaitingInput
from tradewind.sdk.param import Param
from tradewind.sdk.xcom_serialization import decode


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"options": []}, "'options'.*must not be empty"),
        ({"options": ["a", "a"]}, "twice"),
        ({"options": ["a"], "defaults": "b"}, "'defaults'.*not among 'options'"),
        ({"options": ["a", "b"], "defaults": ["a", "b"]}, "several 'defaults'"),
        ({"options": ["a"], "params": {"_options": 1}}, "'_options'"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        HITLOperator(task_id="ask", subject="?", **arguments)


def test_an_approval_has_its_own_options():
    with pytest.raises(ValueError, match="options"):
        ApprovalOperator(task_id="ask", subject="?", options=["a"])


def answer(world, task_id, event):
    next_kwargs = json.dumps({"event": event})
    return world.run(task_id, next_method="execute_complete", next_kwargs=next_kwargs)


def chosen(*options, **more):
    return {"chosen_options": list(options), "params_input": {}, **more}


def test_the_question_is_stored_and_the_task_waits(world):
    HITLOperator(
        task_id="ask",
        subject="Deploy {{ ds }}?",
        options=["yes", "no"],
        params={"why": Param("", type="string")},
        dag=world.dag,
    )

    result = world.run("ask")

    assert result.outcome == "deferred"
    assert result.trigger["class_path"].endswith("HITLTrigger")
    detail = world.xcoms("ask")["hitl_detail"]
    assert detail["subject"] == "Deploy 2024-03-05?"
    assert (detail["options"], detail["params"]) == (["yes", "no"], {"why": ""})


def test_the_answer_is_the_result(world):
    HITLOperator(task_id="ask", subject="?", options=["yes", "no"], dag=world.dag)
    world.run("ask")

    answer(world, "ask", chosen("no", responded_by_user={"id": "ada"}))

    result = world.xcoms("ask")["return_value"]
    assert result["chosen_options"] == ["no"]
    assert result["responded_by_user"] == {"id": "ada"}


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (chosen("maybe"), "cannot be chosen"),
        ({"chosen_options": ["yes"], "params_input": {"x": 1}}, "asked for"),
        ({"error": "nobody has answered in time", "error_type": "timeout"}, "in time"),
    ],
)
def test_an_answer_that_does_not_fit_fails_the_task(world, event, error):
    HITLOperator(task_id="ask", subject="?", options=["yes"], dag=world.dag)

    result = answer(world, "ask", event)

    assert result.outcome == "failed"
    assert error in result.reason


def test_what_is_entered_is_checked_by_its_schema(world):
    HITLEntryOperator(
        task_id="ask", subject="?", params={"n": Param(1, type="integer")}, dag=world.dag
    )

    good = answer(world, "ask", {"chosen_options": ["OK"], "params_input": {"n": 5}})
    bad = answer(world, "ask", {"chosen_options": ["OK"], "params_input": {"n": "x"}})

    assert world.xcoms("ask")["return_value"]["params_input"] == {"n": 5}
    assert (good.outcome, bad.outcome) == ("success", "failed")


def test_a_rejection_skips_what_lies_directly_below_or_fails(world):
    with world.dag:
        ask = ApprovalOperator(task_id="ask", subject="?")
        strict = ApprovalOperator(task_id="strict", subject="?", fail_on_reject=True)
        wide = ApprovalOperator(task_id="wide", subject="?", ignore_downstream_trigger_rules=True)
        after = EmptyOperator(task_id="after")
        [ask, strict, wide] >> after >> EmptyOperator(task_id="last")

    assert answer(world, "ask", chosen("Reject")).skip_task_ids == ["after"]
    assert answer(world, "wide", chosen("Reject")).skip_task_ids == ["after", "last"]
    assert answer(world, "ask", chosen("Approve")).skip_task_ids == []
    rejected = answer(world, "strict", chosen("Reject"))
    assert (rejected.outcome, "rejected" in rejected.reason) == ("failed", True)


def test_a_branch_follows_what_the_options_stand_for(world):
    with world.dag:
        ask = HITLBranchOperator(
            task_id="ask",
            subject="?",
            options=["now", "later"],
            options_mapping={"now": "deploy"},
        )
        ask >> [EmptyOperator(task_id="deploy"), EmptyOperator(task_id="later")]

    assert answer(world, "ask", chosen("now")).skip_task_ids == ["later"]
    assert answer(world, "ask", chosen("later")).skip_task_ids == ["deploy"]


def test_where_nobody_answers_the_defaults_are_chosen(world):
    """In ``dag.test()`` the trigger runs inline."""
    with world.dag:
        HITLEntryOperator(task_id="ask", subject="?", response_timeout=timedelta(seconds=0))
        HITLOperator(
            task_id="late", subject="?", options=["a"], response_timeout=timedelta(seconds=0)
        )

    run = world.dag.test()

    assert run.get_task_instance("ask").state == "success"
    assert run.get_task_instance("late").state == "failed"
    assert issubclass(hitl.HITLTimeoutError, hitl.HITLTriggerEventError)


# --- as operators of the provider package ask ------------------------------------------------


class Asking(BaseOperator):
    """Asks in Airflow 3.3's own words."""

    def __init__(self, *, params_asked=None, timeout=None, asks=True, **kwargs):
        super().__init__(**kwargs)
        self.params_asked, self.response_timeout, self.asks = params_asked, timeout, asks

    def execute(self, context):
        if self.asks:
            upsert_hitl_detail(
                ti_id=context["ti"].id,
                options=["yes", "no"],
                subject="?",
                defaults=["no"],
                params=self.params_asked,
                assigned_users=[HITLUser(id="1", name="ada")],
            )
        raise TaskAwaitingInput(
            method_name="go_on", kwargs={"more": 1}, timeout=self.response_timeout
        )

    def go_on(self, context, event, more):
        return [event["chosen_options"], event["params_input"], more]


def test_a_task_that_awaits_input_is_deferred_to_the_answer(world):
    params = {"n": Param(3, type="integer", description="how many").serialize(), "plain": 5}
    Asking(task_id="ask", params_asked=params, timeout=timedelta(hours=1), dag=world.dag)

    with timezone.frozen(datetime(2024, 1, 1, tzinfo=UTC)):
        result = world.run("ask")

    trigger = decode(result.trigger["kwargs"])
    assert (result.outcome, result.trigger["next_method"]) == ("deferred", "go_on")
    assert decode(result.trigger["next_kwargs"]) == {"more": 1}
    assert (trigger["defaults"], trigger["params"]) == (["no"], {"n": 3, "plain": 5})
    assert trigger["timeout_at"] == datetime(2024, 1, 1, 1, tzinfo=UTC)
    question = world.xcoms("ask")["hitl_detail"]
    assert question["assigned_users"] == ["ada"]
    assert question["param_specs"]["n"] == {
        "has_default": True,
        "description": "how many",
        "schema": {"type": "integer"},
    }


def test_what_time_has_answered_is_kept_as_the_answer(world):
    Asking(task_id="ask", timeout=0, dag=world.dag)

    run = world.dag.test()

    ti = run.get_task_instance("ask")
    assert ti.xcom_pull(task_ids="ask") == [["no"], {}, 1]
    answer = ti.xcom_pull(task_ids="ask", key="hitl_response")
    assert (answer["chosen_options"], answer["timedout"]) == (["no"], True)
    assert datetime.fromisoformat(answer["responded_at"]).tzinfo is not None


def test_a_task_that_awaits_input_must_have_asked(world):
    Asking(task_id="ask", asks=False, dag=world.dag)

    result = world.run("ask")

    assert (result.outcome, "has asked nothing" in result.reason) == ("failed", True)


def test_a_task_neither_answers_for_a_person_nor_reads_answers_by_an_id():
    with pytest.raises(AirflowException, match="cannot answer for a person"):
        update_hitl_detail_response("id", ["yes"], {})
    with pytest.raises(AirflowException, match="TaskAwaitingInput"):
        get_hitl_detail_content_detail("id")
