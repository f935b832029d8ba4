from __future__ import annotations

from datetime import UTC, datetime

from tradewind.runtime.task.parse_messages import NextRunRequest
from tradewind.runtime.task.parse_next_run import plan_requested_runs
from tradewind.sdk.dag import DAG
from tradewind.sdk.timetables.base import Timetable

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Raising(Timetable):
    def next_dagrun_info(self, *, last_automated_data_interval, restriction):
        raise RuntimeError("no calendar")


def test_a_timetable_of_the_user_that_raises_is_answered_with_the_reason():
    dag = DAG("d", schedule=Raising(), start_date=NOW)

    (answer,) = plan_requested_runs({"d": dag}, [NextRunRequest("d", None, None, NOW)])

    assert answer.error == "RuntimeError: no calendar"
    assert answer.run_id == ""
