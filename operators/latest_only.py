"""``LatestOnlyOperator``: go on in the newest run only (semantics section 7.6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..sdk.states import RunType
from ..sdk.timetables.base import DataInterval, TimeRestriction
from ..sdk.timezone import utcnow
from .branch import BaseBranchOperator


class LatestOnlyOperator(BaseBranchOperator):
    """Skips its direct downstream unless the present lies in the newest data interval.

    Runs started by hand always go on.
    """

    ui_color = "#e9ffdb"

    def choose_branch(self, context: Any) -> Iterable[str]:
        dag_run = context["dag_run"]
        below = sorted(context["task"].downstream_task_ids)
        is_by_hand = dag_run.external_trigger
        if context["dag"].dialect != "2":  # there a run of dag.test() is not by hand
            is_by_hand = is_by_hand or dag_run.run_type == RunType.MANUAL
        if is_by_hand:
            self.log.info("This run was started by hand: going on")
            return below
        start, end = _next_window(context["dag"], dag_run)
        now = utcnow()
        self.log.info("Latest if %s < %s <= %s", start, now, end)
        if end is None or start < now <= end:
            return below
        self.log.info("Not the latest run: skipping the tasks below")
        return []


def _next_window(dag: Any, dag_run: Any) -> tuple[Any, Any]:
    """Return the instants between which this run is the latest; the end None: for ever.

    From where its data interval begins to where the next run's ends: for a schedule of instants
    that is from this run to the next one. Source: Airflow 3's rule.
    """
    start = dag_run.data_interval_start or dag_run.logical_date or dag_run.run_after
    end = dag_run.data_interval_end or start
    info = dag.timetable.next_dagrun_info(
        last_automated_data_interval=DataInterval(start, end),
        restriction=TimeRestriction(None, None, catchup=True),
    )
    if info is None:
        return start, None
    return start, info.run_after if info.data_interval is None else info.data_interval.end
