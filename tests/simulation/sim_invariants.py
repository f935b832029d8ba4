"""What must hold after every commit (``sim_ends`` has what must hold when all is healed).

A trigger in the database notes each change of a task instance's state, so that the checks do not
depend on the product's own history. Numbers are those of the reliability card, section 7.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tradewind.database.store import Store
from tradewind.sdk.serialized import SerializedDag
from tradewind.sdk.states import ALLOWED, FINISHED, TaskInstanceState

FINISHED_NAMES = tuple(state.value for state in FINISHED)
FINISHED_SQL = ", ".join(f"'{name}'" for name in FINISHED_NAMES)
#: Of each backfill that people make in these worlds.
BACKFILL_RUNS_MAX = 2

_NOTE_TRANSITIONS = (
    "CREATE TABLE sim_transition (seq INTEGER PRIMARY KEY, ti INTEGER, old TEXT, new TEXT,"
    " old_epoch INTEGER, new_epoch INTEGER)",
    "CREATE TRIGGER sim_note AFTER UPDATE OF state ON task_instance WHEN old.state <> new.state"
    " BEGIN INSERT INTO sim_transition (ti, old, new, old_epoch, new_epoch)"
    " VALUES (old.id, old.state, new.state, old.epoch, new.epoch); END",
    "CREATE TABLE sim_version (seq INTEGER PRIMARY KEY, run INTEGER)",
    "CREATE TRIGGER sim_note_version AFTER UPDATE OF version_id ON dag_run"
    " WHEN old.version_id <> new.version_id"
    " BEGIN INSERT INTO sim_version (run) VALUES (old.id); END",
)


class Broken(AssertionError):
    """An invariant does not hold."""


class Invariants:
    """Checks one world. ``actor`` of a change is whoever called the store."""

    def __init__(
        self,
        store: Store,
        dags: list[SerializedDag],
        pools: dict[str, int],
        may_not_be_lost: Callable[[], set[str]],
    ) -> None:
        self._store = store
        self._dags = {dag.dag_id: dag for dag in dags}
        self._pools = pools
        self._tasks_max = {
            (dag.dag_id, task.task_id): task.max_active_tis_per_dag
            for dag in dags
            for task in dag.tasks
        }
        self._may_not_be_lost = may_not_be_lost
        self._seen_seq = self._seen_version = 0
        self._seen_changes = -1
        self.cleared: set[int] = set()
        #: A mark on a run that has ended does not change how it ended.
        self.marked_run_ids: set[int] = set()
        #: What was decided by the rules of a version that the run has left stays decided.
        self.moved_run_ids: set[int] = set()
        self.edges: Counter[tuple[str, str]] = Counter()
        with store.database.read() as connection:
            #: One connection serves the whole database in memory.
            self._driver: Any = connection.driver
        for statement in _NOTE_TRANSITIONS:
            self._driver.execute(statement)

    def check_step(self, actor: str) -> None:
        """After each operation of the store; costs nothing where it wrote nothing."""
        if self._driver.total_changes == self._seen_changes:
            return
        self._seen_changes = self._driver.total_changes
        self._check_transitions(self._driver, actor)
        self._check_attempts(self._driver)
        self._check_limits(self._driver)
        self._check_workers(self._driver)

    def dag_ids_of_unfinished_runs(self) -> set[str]:
        """Return the DAGs that have a run which is queued or running."""
        unfinished = "SELECT DISTINCT dag_id FROM dag_run WHERE state IN ('queued', 'running')"
        return {dag_id for (dag_id,) in rows_of(self._driver, unfinished)}

    def is_any_moving(self) -> bool:
        """Return whether a task instance is on its way: neither ended, nor waiting for others."""
        moving = (
            "SELECT 1 FROM task_instance t JOIN dag_run r ON r.id = t.dag_run_id"
            f" WHERE t.state NOT IN ('none', {FINISHED_SQL})"
            " AND (t.state <> 'up_for_retry' OR t.due_at > ?)"  # else it waits for its past
            " AND r.state IN ('queued', 'running') LIMIT 1"
        )
        a_minute_ago = self._store.clock.now() - timedelta(minutes=1)
        return bool(rows_of(self._driver, moving, f"{a_minute_ago:%Y-%m-%d %H:%M:%S.%f}"))

    def _check_transitions(self, connection: Any, actor: str) -> None:
        for seq, run in rows_of(
            connection, "SELECT seq, run FROM sim_version WHERE seq > ?", self._seen_version
        ):
            self._seen_version = seq
            if actor != "user":
                raise Broken(f"I-28: {actor} moved run {run} to another version")
            self.moved_run_ids.add(run)
        rows = rows_of(
            connection, "SELECT * FROM sim_transition WHERE seq > ? ORDER BY seq", self._seen_seq
        )
        for seq, ti, old, new, old_epoch, new_epoch in rows:
            self._seen_seq = seq
            steps = [(old, new)]
            if (old, new, new_epoch) == ("scheduled", "running", old_epoch + 1):
                # Handed out and claimed by one write: nobody sees it queued.
                steps = [(old, "queued"), ("queued", new)]
            self.edges.update(steps)
            if new_epoch < old_epoch:
                raise Broken(f"I-3: epoch of {ti} fell from {old_epoch} to {new_epoch}")
            if actor == "user":
                self.cleared.add(ti)
                continue
            for before, after in steps:
                if TaskInstanceState(after) not in ALLOWED[TaskInstanceState(before)]:
                    raise Broken(f"I-2/I-5: {actor} moved {ti} from {before} to {after}")

    def _check_attempts(self, connection: Any) -> None:
        twice = rows_of(
            connection,
            "SELECT task_instance_id FROM attempt WHERE state IN ('claimed', 'running')"
            " GROUP BY task_instance_id, epoch HAVING count(*) > 1",
        )
        alone = rows_of(
            connection,
            "SELECT t.id FROM task_instance t LEFT JOIN attempt a ON a.task_instance_id = t.id"
            " AND a.epoch = t.epoch AND a.claim_id = t.claim_id"
            " AND a.state IN ('claimed', 'running')"
            " WHERE t.state = 'running' AND a.id IS NULL",
        )
        if twice or alone:
            raise Broken(f"I-4: two attempts {twice}, running without an attempt {alone}")

    def _check_workers(self, connection: Any) -> None:
        kept = self._may_not_be_lost()
        for (worker_id,) in rows_of(connection, "SELECT id FROM worker WHERE state = 'lost'"):
            if worker_id in kept:
                raise Broken(f"R4: a runner that lives was given up: {worker_id}")

    def _check_limits(self, connection: Any) -> None:
        occupying = rows_of(
            connection,
            "SELECT t.pool, t.pool_slots, r.dag_id, t.dag_run_id, t.task_id"
            " FROM task_instance t JOIN dag_run r ON r.id = t.dag_run_id"
            " WHERE t.state IN ('queued', 'running', 'restarting')",
        )
        pools: Counter[str] = Counter()
        for pool, slots, *_ in occupying:
            pools[pool] += slots
        for pool, used in pools.items():
            if used > self._pools[pool]:
                raise Broken(f"I-13: pool {pool} holds {used} of {self._pools[pool]} slots")
        per_run = Counter((dag_id, run) for _, _, dag_id, run, _ in occupying)
        for (dag_id, run), used in per_run.items():
            if used > self._dags[dag_id].max_active_tasks:
                raise Broken(f"I-13: run {run} of {dag_id} has {used} active tasks")
        per_task = Counter((dag_id, task_id) for _, _, dag_id, _, task_id in occupying)
        for (dag_id, task_id), used in per_task.items():
            most = self._tasks_max.get((dag_id, task_id))
            if most is not None and used > most:
                raise Broken(f"I-13: {used} of {dag_id}.{task_id} are active, {most} may be")
        running = rows_of(
            connection,
            "SELECT dag_id, backfill_id, count(*) FROM dag_run WHERE state = 'running'"
            " GROUP BY 1, 2",
        )
        for dag_id, backfill_id, used in running:
            most = BACKFILL_RUNS_MAX if backfill_id else self._dags[dag_id].max_active_runs
            if used > most:
                raise Broken(f"I-13: {dag_id} has {used} running runs (backfill {backfill_id})")


def rows_of(connection: Any, statement: str, *parameters: Any) -> list[Any]:
    """Return the rows of plain SQL."""
    driver = getattr(connection, "driver", connection)
    return driver.execute(statement, parameters).fetchall()
