"""Step: plan the next run of DAGs that have none planned (new ones, changed ones)."""

from __future__ import annotations

import logging

from ..database.values import DueDag
from ..planning.plan_runs import PlannedRun, plan_next_run
from ..runtime.supervise.outages import DATABASE_AWAY
from ..sdk.timetables.base import DataInterval
from ..sdk.timetables.registry import deserialize_timetable
from .step import Store, Tick

log = logging.getLogger(__name__)


def last_interval(due: DueDag) -> DataInterval | None:
    """Return what the newest scheduled run of a DAG covers."""
    if due.last_interval_start is None or due.last_interval_end is None:
        return None
    return DataInterval(due.last_interval_start, due.last_interval_end)


class PlanNextRuns:
    """Custom timetables are left to the parse manager, whose children may import them."""

    name = "plan next runs"

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self, tick: Tick) -> None:
        """Plan each DAG that needs it; one that fails is held back alone."""
        for due in self._store.dags.unplanned():
            key = f"plan {due.dag_id}"
            if due.is_custom_timetable or tick.quarantine.is_held(key):
                continue
            try:
                self._store.dags.set_next_run(due.dag_id, self._plan(due, tick), tick.now)
            except DATABASE_AWAY:
                raise
            except Exception:
                held_s = tick.quarantine.hold(key)
                log.exception("no run of %s is planned, again in %.1f s", due.dag_id, held_s)
            else:
                tick.quarantine.release(key)
                tick.changed = True

    def _plan(self, due: DueDag, tick: Tick) -> PlannedRun | None:
        dag = self._store.dags.version(due.version_id)
        return plan_next_run(
            dag,
            deserialize_timetable(dag.timetable),
            last_interval(due),
            tick.now,
            is_implied_catchup_limited=due.is_first_plan,
        )
