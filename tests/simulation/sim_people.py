"""A person who triggers, clears, marks and backfills at random, and at the worst of times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from sim_invariants import BACKFILL_RUNS_MAX, Invariants
from sim_kernel import Kernel
from tradewind.database.errors import NotAllowed
from tradewind.database.selections import Selection
from tradewind.database.store import Store
from tradewind.database.values import NewRun
from tradewind.planning.plan_runs import PlannedRun
from tradewind.sdk.serialized import SerializedDag
from tradewind.sdk.states import RunType, TaskInstanceState


class Person:
    """What they do is told to the invariants: a finished state may change by it."""

    def __init__(
        self, store: Store, kernel: Kernel, dags: Sequence[SerializedDag], checks: Invariants
    ) -> None:
        self._store = store
        self._kernel = kernel
        self._dags = dags
        self._checks = checks
        self._number = 0

    def live(self, is_awake: Callable[[], bool]) -> None:
        """Act every few seconds while *is_awake*."""
        chance = self._kernel.random
        while is_awake():
            self._kernel.sleep(chance.uniform(2, 20))
            if is_awake():
                self._act(chance.choice(self._dags))
                self._checks.check_step("user")
        self._kernel.sleep(10_000_000.0)

    def _act(self, dag: SerializedDag) -> None:
        chance, now = self._kernel.random, self._kernel.clock.now()
        runs = self._store.runs.list(dag.dag_id, limit=5)
        kind = chance.random()
        if kind < 0.3 or not runs:
            self._number += 1
            run_id = f"manual__{self._number}_{now.isoformat()}"
            self._store.runs.create(NewRun(dag.dag_id, run_id, "manual", now), now)
            return
        if kind < 0.4:
            self._backfill(dag)
            return
        run = chance.choice(runs)
        task = chance.choice(dag.tasks)
        selection = Selection(dag.dag_id, task_ids=[task.task_id], run_ids=[run.run_id])
        if kind < 0.75:
            self._store.task_instances.clear(selection, now, "user:sim")
            return
        state = chance.choice([TaskInstanceState.SUCCESS, TaskInstanceState.FAILED])
        self._checks.marked_run_ids.add(run.id)
        self._store.task_instances.mark(selection, state, now, "user:sim")

    def _backfill(self, dag: SerializedDag) -> None:
        """Some slots of an hour ago, and perhaps some that exist already."""
        chance, now = self._kernel.random, self._kernel.clock.now()
        first = now.replace(second=0, microsecond=0) - timedelta(minutes=chance.choice([3, 60]))
        runs = []
        for number in range(3):
            at = first + timedelta(minutes=number)
            run_id = f"backfill__{at.isoformat()}"
            runs.append(PlannedRun(run_id, RunType.BACKFILL, at, at, at, at))
        try:
            self._store.backfills.create(
                dag.dag_id,
                runs,
                from_at=first,
                to_at=first + timedelta(minutes=2),
                max_active_runs=BACKFILL_RUNS_MAX,
                reprocess_behavior=chance.choice(["none", "completed", "failed"]),
                now=now,
                actor="user:sim",
            )
        except NotAllowed:
            return  # another backfill is under way, or there is nothing to run
