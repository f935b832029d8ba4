"""From a plan to the run that is created by it."""

from __future__ import annotations

from typing import Any

from ..planning.plan_runs import PlannedRun
from .values import NewRun


def new_run(dag_id: str, planned: PlannedRun, **beside: Any) -> NewRun:
    """Return the run that *planned* says; *beside*: what a plan does not know, such as its conf."""
    return NewRun(
        dag_id=dag_id,
        run_id=planned.run_id,
        run_after=planned.run_after,
        logical_date=planned.logical_date,
        data_interval_start=planned.data_interval_start,
        data_interval_end=planned.data_interval_end,
        **{"run_type": planned.run_type.value, **beside},
    )
