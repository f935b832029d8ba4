"""A planned run as the parser child tells it, in the words of ``planning``."""

from __future__ import annotations

from ..planning.plan_runs import PlannedRun
from ..runtime.task.parse_messages import AnsweredRun
from ..sdk.states import RunType


def planned_run(answer: AnsweredRun) -> PlannedRun | None:
    """Return the run that a child planned, None where the timetable has no next one."""
    if not answer.run_id or answer.run_after is None:
        return None
    return PlannedRun(
        run_id=answer.run_id,
        run_type=RunType.SCHEDULED,
        run_after=answer.run_after,
        logical_date=answer.logical_date,
        data_interval_start=answer.data_interval_start,
        data_interval_end=answer.data_interval_end,
    )
