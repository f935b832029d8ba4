"""Step: plan the next run of DAGs that have none planned (new ones, changed ones)."""

from __future__ import annotations

import logging
from collections.abc import Mapping

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
        planned: dict[str, PlannedRun | None] = {}
        for due in self._store.dags.unplanned():
            if due.is_custom_timetable or tick.quarantine.is_held(_key(due.dag_id)):
                continue
            try:
                planned[due.dag_id] = self._plan(due, tick)
            except DATABASE_AWAY:
                raise
            except Exception:  # noqa: BLE001 - _hold tells
                _hold(due.dag_id, tick)
        if planned:
            self._keep(planned, tick)

    def _keep(self, planned: Mapping[str, PlannedRun | None], tick: Tick) -> None:
        """Store plans in one transaction; where that fails, each in its own."""
        try:
            self._store.dags.set_next_runs(planned, tick.now)
        except DATABASE_AWAY:
            raise
        except Exception:  # noqa: BLE001 - _hold tells
            if len(planned) > 1:
                for dag_id, run in planned.items():
                    self._keep({dag_id: run}, tick)
                return
            for dag_id in planned:
                _hold(dag_id, tick)
        else:
            tick.changed = True
            for dag_id in planned:
                tick.quarantine.release(_key(dag_id))

    def _plan(self, due: DueDag, tick: Tick) -> PlannedRun | None:
        dag = self._store.dags.version(due.version_id)
        return plan_next_run(
            dag,
            deserialize_timetable(dag.timetable),
            last_interval(due),
            tick.now,
            is_implied_catchup_limited=due.is_first_plan,
        )


def _key(dag_id: str) -> str:
    return f"plan {dag_id}"


def _hold(dag_id: str, tick: Tick) -> None:
    held_s = tick.quarantine.hold(_key(dag_id))
    log.exception("no run of %s is planned, again in %.1f s", dag_id, held_s)
