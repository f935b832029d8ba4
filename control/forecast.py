"""Forecast: the next runs of one DAG, or of all, by the same functions that make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from statistics import median
from typing import TYPE_CHECKING

from ..planning.forecast import ExpectedRun, Outlook, forecast
from ..planning.plan_runs import PlannedRun, plan_runs
from ..sdk.states import RunType
from ..sdk.timetables.base import DataInterval
from .timetables import find_timetable

if TYPE_CHECKING:
    from ..database.values import DagRow, RunRow
    from ..sdk.timetables.base import Timetable
    from .services import Services

#: More DAGs, or more runs of one DAG, than these are not foreseen; the answer says so.
DAGS_MAX = 500
RUNS_PER_DAG_MAX = 1500
#: Over how many of its newest runs the usual length of a run is taken.
LENGTH_RUNS = 10


@dataclass(frozen=True, slots=True)
class Forecast:
    """Runs to come, by their start. ``dags_left_out``: how many DAGs were too many."""

    runs: Sequence[ExpectedRun]
    dags_left_out: int


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


def forecast_all(services: Services, until: datetime, dags: Sequence[DagRow]) -> Forecast:
    """Return the runs that these DAGs will have until *until*, with when they start and end.

    Args:
        dags: those that are un-paused and in force; others are left out.
    """
    store, now = services.store, services.now()
    chosen = [dag for dag in dags if dag.is_active and not dag.is_paused]
    seen = chosen[:DAGS_MAX]
    recent = store.dags.last_runs([dag.dag_id for dag in seen], per_dag=LENGTH_RUNS)
    outlooks = [_outlook(services, dag, recent[dag.dag_id], now, until) for dag in seen]
    runs = forecast(outlooks, now, until)
    return Forecast(runs, len(chosen) - len(seen))


def _outlook(
    services: Services, dag: DagRow, recent: Sequence[RunRow], now: datetime, until: datetime
) -> Outlook:
    serialized = services.store.dags.serialized(dag.dag_id)
    length = usual_length(recent)
    planned: list[PlannedRun] = []
    if dag.next_run_after is not None and dag.next_run_after <= until:
        planned = list(
            takewhile(
                lambda run: run.run_after <= until,
                next_runs(services, dag.dag_id, RUNS_PER_DAG_MAX),
            )
        )
    expression = serialized.asset_expression
    return Outlook(
        dag_id=dag.dag_id,
        due_at=[run.run_after for run in planned],
        length=length,
        max_active_runs=dag.max_active_runs,
        ends_at=[
            max(now, (run.started_at or now) + (length or timedelta(0)))
            for run in recent
            if run.state == "running"
        ],
        asset_expression=expression,
        events=services.store.assets.queued(dag.dag_id) if expression is not None else (),
        outlets=[
            (asset.name, asset.uri)
            for task in serialized.tasks
            for asset in task.outlets
            if not asset.is_alias
        ],
    )


def usual_length(runs: Sequence[RunRow]) -> timedelta | None:
    """Return the median length of the runs that succeeded; None: none has."""
    lengths = [
        (run.ended_at - run.started_at).total_seconds()
        for run in runs
        if run.state == "success" and run.started_at is not None and run.ended_at is not None
    ]
    return timedelta(seconds=median(lengths)) if lengths else None
