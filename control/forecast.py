"""Forecast: the next runs of a DAG, by the same functions that make them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from ..planning.plan_runs import PlannedRun, plan_runs
from ..sdk.states import RunType
from ..sdk.timetables.base import DataInterval
from .timetables import find_timetable

if TYPE_CHECKING:
    from ..sdk.timetables.base import Timetable
    from .services import Services


def next_runs(
    services: Services, dag_id: str, count: int, *, own_timetable: Timetable | None = None
) -> list[PlannedRun]:
    """Return the next *count* scheduled runs, oldest first; fewer where the schedule ends.

    Args:
        own_timetable: answers for a DAG whose timetable is a class of its own file. None: only
            the next run of such a DAG is known, which the parser noted.

    Raises:
        DagNotFound: there is no such DAG.
    """
    dag = services.store.dags.serialized(dag_id)
    timetable = find_timetable(dag) or own_timetable
    due = services.store.dags.planning_input(dag_id)
    if timetable is None:
        if due.next_run_after is None:
            return []
        return [
            PlannedRun(
                run_id=due.next_run_id or "",
                run_type=RunType.SCHEDULED,
                run_after=due.next_run_after,
                logical_date=due.next_logical_date,
                data_interval_start=due.next_data_interval_start,
                data_interval_end=due.next_data_interval_end,
            )
        ]
    last = None
    if due.last_interval_start is not None and due.last_interval_end is not None:
        last = DataInterval(due.last_interval_start, due.last_interval_end)
    return list(islice(plan_runs(dag, timetable, last, services.now()), count))
