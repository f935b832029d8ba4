"""Step: create the runs whose time has come, and plan the one after each.

``spec/reliability.md`` G-S1 and G-S3: each slot makes one run, also with two schedulers, because
its run id and logical date are unique; after a pause, a DAG without catchup gets the newest slot.
"""

from __future__ import annotations

import logging

from ..database.errors import DagRunExists
from ..database.new_runs import new_run
from ..database.values import DueDag
from ..planning.plan_runs import PlannedRun, plan_next_run
from ..runtime.supervise.outages import DATABASE_AWAY
from ..sdk.serialized import SerializedDag
from ..sdk.states import RunType
from ..sdk.timetables.base import Timetable
from ..sdk.timetables.registry import deserialize_timetable
from .plan_next_runs import last_interval
from .step import Store, Tick

log = logging.getLogger(__name__)

#: A catchup of years must not keep the loop from everything else.
ROWS_PER_TICK = 100


class CreateDueRuns:
    """Creates at most ``ROWS_PER_TICK`` runs a tick."""

    name = "create due runs"

    def __init__(self, store: Store) -> None:
        self._store = store

    def run(self, tick: Tick) -> None:
        """Create what is due, DAG by DAG, each up to its limit of active runs."""
        left = ROWS_PER_TICK
        for due in self._store.dags.due(tick.now):
            key = f"create {due.dag_id}"
            if left <= 0:
                return
            if tick.quarantine.is_held(key):
                continue
            try:
                left -= self._create_runs(due, tick, left)
            except DATABASE_AWAY:
                raise
            except Exception:
                held_s = tick.quarantine.hold(key)
                log.exception("no run of %s is created, again in %.1f s", due.dag_id, held_s)
            else:
                tick.quarantine.release(key)

    def _create_runs(self, due: DueDag, tick: Tick, count_max: int) -> int:
        if due.is_custom_timetable:
            return self._create(due.dag_id, _stored_plan(due), None, tick)
        dag = self._store.dags.version(due.version_id)
        timetable = deserialize_timetable(dag.timetable)
        run = _due_plan(due, dag, timetable, tick)
        count = 0
        room = min(count_max, max(1, due.max_active_runs - due.active_runs))
        while run is not None and run.run_after <= tick.now and count < room:
            following = plan_next_run(dag, timetable, run.data_interval, tick.now)
            count += self._create(due.dag_id, run, following, tick)
            run = following
        if count == 0:  # the plan changed under us and now lies ahead
            self._store.dags.set_next_run(due.dag_id, run, tick.now)
        return count

    def _create(
        self, dag_id: str, run: PlannedRun, following: PlannedRun | None, tick: Tick
    ) -> int:
        new = new_run(dag_id, run, run_type=RunType.SCHEDULED.value)
        try:
            self._store.runs.create(new, tick.now, next_run=following)
        except DagRunExists:
            # Made by another scheduler, by hand, or by a backfill. The plan moved on all the same.
            log.debug("run %s of %s exists already", run.run_id, dag_id)
        tick.changed = True
        return 1


def _due_plan(
    due: DueDag, dag: SerializedDag, timetable: Timetable, tick: Tick
) -> PlannedRun | None:
    """Return the run to create now: the stored plan, or without catchup a newer slot.

    A plan that was stored long ago (downtime, a pause) is one that catchup=False passes over.
    """
    stored = _stored_plan(due)
    if dag.catchup:
        return stored
    newest = plan_next_run(dag, timetable, last_interval(due), tick.now)
    if newest is not None and stored.run_after < newest.run_after <= tick.now:
        return newest
    return stored


def _stored_plan(due: DueDag) -> PlannedRun:
    if due.next_run_after is None or due.next_run_id is None:
        raise ValueError(f"DAG {due.dag_id} is due without a plan")
    return PlannedRun(
        run_id=due.next_run_id,
        run_type=RunType.SCHEDULED,
        run_after=due.next_run_after,
        logical_date=due.next_logical_date,
        data_interval_start=due.next_data_interval_start,
        data_interval_end=due.next_data_interval_end,
    )
