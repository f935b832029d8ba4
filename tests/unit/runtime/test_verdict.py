"""Whose callbacks are left to the outbox: those of processes that could not call them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tradewind.runtime.supervise.processes import TaskEnded
from tradewind.runtime.supervise.verdict import AttemptFacts, judge_end, unstorable
from tradewind.runtime.task.task_spec import TaskResult

AT = datetime(2026, 1, 1, tzinfo=UTC)
FAILED = TaskResult("failed", reason="ValueError")


def judge(claim, ended: TaskEnded, **facts):
    return judge_end(AttemptFacts(claim(1), AT, AT, True, "host", "a.log", **facts), ended)


@pytest.mark.parametrize(
    ("ended", "facts", "has_run"),
    [
        (TaskEnded("1-1", FAILED, exit_code=0), {}, True),
        (TaskEnded("1-1", FAILED, exit_code=0), {"stopped_because": "timeout"}, True),
        (TaskEnded("1-1", None, signal=9), {}, False),
        (TaskEnded("1-1", None, signal=9), {"stopped_because": "timeout"}, False),
        (TaskEnded("1-1", TaskResult("success"), exit_code=3), {}, False),
        (
            TaskEnded("1-1", TaskResult("failed", has_run_callbacks=False), exit_code=0),
            {},
            False,
        ),
    ],
    ids=["failed", "stopped", "killed", "stopped and killed", "died after success", "no task"],
)
def test_a_failure_that_no_process_told_is_left_to_the_outbox(claim, ended, facts, has_run):
    result = judge(claim, ended, **facts)

    assert (result.outcome, result.has_run_callbacks) == ("failed", has_run)


@pytest.mark.parametrize(("outcome", "has_run"), [("success", False), ("failed", True)])
def test_a_result_that_cannot_be_stored_is_told_unless_its_failure_was(claim, outcome, has_run):
    result = judge(claim, TaskEnded("1-1", TaskResult(outcome), exit_code=0))

    assert unstorable(result, ValueError("no")).has_run_callbacks is has_run
