"""The zygote's rehearsal of a task."""

from __future__ import annotations

import os

from tradewind.runtime.task.rehearsal import rehearse
from tradewind.sdk import task_runtime


def test_the_rehearsed_task_runs_whole():
    result = rehearse()

    assert result.outcome == "success", result.reason
    assert result.xcoms[0].value == '"2026-01-01 rehearsal {}"'


def test_a_rehearsal_leaves_no_trace():
    before = dict(os.environ), task_runtime.current

    rehearse()

    assert (dict(os.environ), task_runtime.current) == before
