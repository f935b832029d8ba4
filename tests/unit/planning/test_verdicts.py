from datetime import timedelta

import pytest
from planning_runs import NOW, S
from tradewind.planning.verdicts import judge_result
from tradewind.sdk.serialized import SerializedTask


def judged(outcome: str, *, try_number: int = 1, tries_max: int = 0, retries: int = 0, **fields):
    task = SerializedTask("t", "PythonOperator", retries=retries, retry_delay_s=10.0)
    return judge_result(
        outcome,
        dag_id="d",
        task=task,
        try_number=try_number,
        tries_max=tries_max,
        logical_date=None,
        ended_at=NOW,
        **fields,
    )


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        ("success", S.SUCCESS),
        ("skipped", S.SKIPPED),
        ("failed", S.FAILED),
        ("failed_final", S.FAILED),
        ("deferred", S.DEFERRED),
        ("rescheduled", S.UP_FOR_RESCHEDULE),
    ],
)
def test_each_outcome_has_its_state(outcome, state):
    assert judged(outcome).new_state is state


@pytest.mark.parametrize(
    ("try_number", "tries_max", "state"),
    [
        (1, 2, S.UP_FOR_RETRY),
        (2, 2, S.UP_FOR_RETRY),
        (3, 2, S.FAILED),
        (4, 5, S.UP_FOR_RETRY),  # cleared after try 3: three tries more
        (6, 5, S.FAILED),
    ],
)
def test_a_task_with_two_retries_has_three_tries_and_three_more_after_a_clear(
    try_number, tries_max, state
):
    """Checkable example 5.2."""
    verdict = judged("failed", try_number=try_number, tries_max=tries_max, retries=2)

    assert verdict.new_state is state


def test_a_retry_is_due_after_the_delay():
    verdict = judged("failed", tries_max=1, retries=1)

    assert verdict.due_at == NOW + timedelta(seconds=10)


def test_a_task_without_retries_is_not_tried_again_after_a_clear():
    assert judged("failed", try_number=1, tries_max=1).new_state is S.FAILED


def test_a_final_failure_is_not_retried():
    assert judged("failed_final", tries_max=3, retries=3).new_state is S.FAILED


def test_an_attempt_lost_before_user_code_gives_its_try_back():
    verdict = judged("lost", has_entered=False, reason="worker gone")

    assert verdict.new_state is S.SCHEDULED
    assert verdict.reason == "worker gone, before its code began: the try is not used"


def test_an_attempt_lost_in_user_code_has_used_its_try():
    assert judged("lost").new_state is S.FAILED
    assert judged("lost", tries_max=1, retries=1).new_state is S.UP_FOR_RETRY


def test_a_task_cleared_while_it_ran_is_tried_again_whatever_the_count():
    assert judged("failed", try_number=9, is_restarting=True).new_state is S.UP_FOR_RETRY


def test_a_reschedule_names_its_own_time():
    assert judged("rescheduled", due_at=NOW + timedelta(days=1)).due_at == NOW + timedelta(days=1)


def test_an_outcome_without_a_rule_is_refused():
    with pytest.raises(ValueError, match="'vanished'"):
        judged("vanished")
