"""The next run of a DAG whose timetable is a user's own class.

Such a class is imported here, in the parser child, and nowhere else: the scheduler asks for the
next run after each one that it created.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...planning.plan_runs import plan_next_run
from ...sdk.serialize_dag import serialize
from ...sdk.timetables.base import DataInterval
from .parse_messages import AnsweredRun, NextRunRequest

if TYPE_CHECKING:
    from ...sdk.dag import DAG


def plan_requested_runs(
    dags: Mapping[str, DAG], requests: Sequence[NextRunRequest]
) -> list[AnsweredRun]:
    """Answer each request; a timetable that raises is an error of its own DAG only."""
    return [_plan(dags, request) for request in requests]


def _plan(dags: Mapping[str, DAG], request: NextRunRequest) -> AnsweredRun:
    dag = dags.get(request.dag_id)
    if dag is None:
        return AnsweredRun(request.dag_id, error="the file no longer declares this DAG")
    last = None
    if request.last_start_at is not None and request.last_end_at is not None:
        last = DataInterval(start=request.last_start_at, end=request.last_end_at)
    try:
        serialized = serialize(dag, relative_fileloc="")
        run = plan_next_run(serialized, dag.timetable, last, request.now, is_failure_raised=True)
    except Exception as error:  # noqa: BLE001 - a user's class; its DAG shows the reason
        return AnsweredRun(request.dag_id, error=f"{type(error).__name__}: {error}")
    if run is None:
        return AnsweredRun(request.dag_id)
    return AnsweredRun(
        request.dag_id,
        run_id=run.run_id,
        run_after=run.run_after,
        logical_date=run.logical_date,
        data_interval_start=run.data_interval_start,
        data_interval_end=run.data_interval_end,
    )
