"""Which runs are late, by the ``sla`` of a task (Airflow 2; ``spec/semantics.md`` section 10.4)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from msgspec import structs

from ..sdk.serialized import SerializedDag
from ..sdk.timetables.base import DataInterval, Timetable
from .plan_runs import plan_next_run

#: Most schedule points that one look goes through: a DAG that was away for long is not flooded.
POINTS_MAX = 100


def missed_points(
    dag: SerializedDag,
    timetable: Timetable,
    last: DataInterval,
    sla_s: float,
    now: datetime,
    known: Collection[datetime],
) -> list[datetime]:
    """Return the logical dates whose run is late and not known to be, oldest first.

    Args:
        last: what the newest run covers in which the task succeeded or was skipped.
        known: dates that were told already.
    """
    missed = []
    # Every point counts, also of a DAG that would pass over them.
    every = structs.replace(dag, catchup=True)
    point = plan_next_run(every, timetable, last, now)
    for _ in range(POINTS_MAX):
        if point is None or point.logical_date is None or point.logical_date >= now:
            break
        following = plan_next_run(every, timetable, point.data_interval, now)
        if following is None or following.logical_date is None:
            break
        if following.logical_date <= point.logical_date:
            break
        is_late = following.logical_date + timedelta(seconds=sla_s) < now
        if is_late and following.logical_date not in known:
            missed.append(following.logical_date)
        point = following
    return missed
