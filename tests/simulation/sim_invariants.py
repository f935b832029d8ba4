"""What must hold: after every commit, and at the end when all faults are healed.

A trigger in the database notes each change of a task instance's state, so that the checks do not
depend on the product's own history. Numbers are those of the reliability card, section 7.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sim_processes import Witness
from sim_workload import CONSUMER, PRODUCER
from tradewind.database.store import Store
from tradewind.sdk.serialized import SerializedDag
from tradewind.sdk.states import ALLOWED, FINISHED, TaskInstanceState

FINISHED_NAMES = tuple(state.value for state in FINISHED)
_FINISHED_SQL = ", ".join(f"'{name}'" for name in FINISHED_NAMES)

_NOTE_TRANSITIONS = (
    "CREATE TABLE sim_transition (seq INTEGER PRIMARY KEY, ti INTEGER, old TEXT, new TEXT,"
    " old_epoch INTEGER, new_epoch INTEGER)",
    "CREATE TRIGGER sim_note AFTER UPDATE OF state ON task_instance WHEN old.state <> new.state"
    " BEGIN INSERT INTO sim_transition (ti, old, new, old_epoch, new_epoch)"
    " VALUES (old.id, old.state, new.state, old.epoch, new.epoch); END",
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
        alive_workers: set[str],
    ) -> None:
        self._store = store
        self._dags = {dag.dag_id: dag for dag in dags}
        self._pools = pools
        self._alive_workers = alive_workers
        self._seen_seq = 0
        self._seen_changes = -1
        self.cleared: set[int] = set()
        #: A mark on a run that has ended does not change how it ended.
        self.marked_run_ids: set[int] = set()
        self.edges: Counter[tuple[str, str]] = Counter()
        with store.database.write() as connection:
            for statement in _NOTE_TRANSITIONS:
                connection.exec_driver_sql(statement)

    def check_step(self, actor: str) -> None:
        """After each operation of the store; costs nothing where it wrote nothing."""
        with self._store.database.read() as connection:
            changes = connection.connection.driver_connection.total_changes
            if changes == self._seen_changes:
                return
            self._seen_changes = changes
            self._check_transitions(connection, actor)
            self._check_attempts(connection)
            self._check_limits(connection)
            self._check_workers(connection)

    def _check_transitions(self, connection: Any, actor: str) -> None:
        rows = _rows(
            connection, "SELECT * FROM sim_transition WHERE seq > ? ORDER BY seq", self._seen_seq
        )
        for seq, ti, old, new, old_epoch, new_epoch in rows:
            self._seen_seq = seq
            self.edges[old, new] += 1
            if new_epoch < old_epoch:
                raise Broken(f"I-3: epoch of {ti} fell from {old_epoch} to {new_epoch}")
            if actor == "user":
                self.cleared.add(ti)
                continue
            if TaskInstanceState(new) not in ALLOWED[TaskInstanceState(old)]:
                raise Broken(f"I-2/I-5: {actor} moved {ti} from {old} to {new}")

    def _check_attempts(self, connection: Any) -> None:
        twice = _rows(
            connection,
            "SELECT task_instance_id FROM attempt WHERE state IN ('claimed', 'running')"
            " GROUP BY task_instance_id, epoch HAVING count(*) > 1",
        )
        alone = _rows(
            connection,
            "SELECT t.id FROM task_instance t LEFT JOIN attempt a ON a.task_instance_id = t.id"
            " AND a.epoch = t.epoch AND a.claim_id = t.claim_id"
            " AND a.state IN ('claimed', 'running')"
            " WHERE t.state = 'running' AND a.id IS NULL",
        )
        if twice or alone:
            raise Broken(f"I-4: two attempts {twice}, running without an attempt {alone}")

    def _check_workers(self, connection: Any) -> None:
        for (worker_id,) in _rows(connection, "SELECT id FROM worker WHERE state = 'lost'"):
            if worker_id in self._alive_workers:
                raise Broken(f"R4: a runner that lives was given up: {worker_id}")

    def _check_limits(self, connection: Any) -> None:
        occupying = _rows(
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
        running = _rows(
            connection, "SELECT dag_id, count(*) FROM dag_run WHERE state = 'running' GROUP BY 1"
        )
        for dag_id, used in running:
            if used > self._dags[dag_id].max_active_runs:
                raise Broken(f"I-13: {dag_id} has {used} running runs")

    def check_end(self, witness: Witness) -> None:
        """When faults are healed and nothing moves any more."""
        with self._store.database.read() as connection:
            self._check_quiet(connection)
            self._check_runs(connection)
            self._check_assets(connection)
            self._check_witness(connection, witness)

    def _check_assets(self, connection: Any) -> None:
        """Each success made one event, and each event was consumed once or still waits."""
        made = _rows(
            connection,
            "SELECT t.id, (SELECT count(*) FROM asset_event e WHERE e.source_dag_id = r.dag_id"
            " AND e.source_run_id = r.run_id AND e.source_task_id = t.task_id),"
            " (SELECT count(*) FROM attempt a WHERE a.task_instance_id = t.id"
            " AND a.state = 'success')"
            " FROM task_instance t JOIN dag_run r ON r.id = t.dag_run_id"
            f" WHERE t.task_id = '{PRODUCER}' AND r.dag_id != '{CONSUMER}'",
        )
        wrong = [row for row in made if row[1] != row[2]]
        if wrong:
            raise Broken(f"I-23: (task instance, events, successes) {wrong[:5]}")
        counted = _rows(
            connection,
            "SELECT e.id, (SELECT count(*) FROM asset_consumption c WHERE c.event_id = e.id),"
            " (SELECT count(*) FROM asset_queue q WHERE q.event_id = e.id) FROM asset_event e",
        )
        wrong = [row for row in counted if row[1] + row[2] != 1]
        if wrong:
            raise Broken(f"I-23: (event, times consumed, times waiting) {wrong[:5]}")

    def _check_quiet(self, connection: Any) -> None:
        left = _rows(
            connection,
            "SELECT r.dag_id, r.run_id, r.state, t.task_id, t.state, t.state_reason"
            " FROM dag_run r JOIN task_instance t ON t.dag_run_id = r.id"
            f" WHERE t.state NOT IN ({_FINISHED_SQL}) OR r.state IN ('queued', 'running')",
        )
        live = _rows(connection, "SELECT * FROM attempt WHERE state IN ('claimed', 'running')")
        if left or live:
            raise Broken(f"I-16: not finished: {left[:5]} ({len(left)}), live attempts {live[:3]}")
        doubles = _rows(
            connection,
            "SELECT dag_id, logical_date FROM dag_run WHERE logical_date IS NOT NULL"
            " GROUP BY 1, 2 HAVING count(*) > 1",
        )
        if doubles:
            raise Broken(f"I-20: slots with two runs: {doubles}")

    def _check_runs(self, connection: Any) -> None:
        rows = _rows(
            connection,
            "SELECT r.id, r.dag_id, r.state, t.task_id, t.state FROM dag_run r"
            " JOIN task_instance t ON t.dag_run_id = r.id",
        )
        by_run: dict[tuple[int, str, str], dict[str, str]] = {}
        for run, dag_id, state, task_id, task_state in rows:
            by_run.setdefault((run, dag_id, state), {})[task_id] = task_state
        for (run, dag_id, state), tasks in by_run.items():
            leaves = set(tasks) - {
                up for task in self._dags[dag_id].tasks for up in task.upstream_task_ids
            }
            bad = any(tasks[leaf] in ("failed", "upstream_failed") for leaf in leaves)
            if (state == "failed") != bad and run not in self.marked_run_ids:
                raise Broken(f"I-17: run {run} of {dag_id} is {state}, its tasks are {tasks}")

    def _check_witness(self, connection: Any, witness: Witness) -> None:
        twice = [attempt for attempt, n in Counter(witness.starts).items() if n > 1]
        if twice:
            raise Broken(f"I-7: started twice under one epoch: {twice}")
        accepted = _rows(
            connection,
            "SELECT t.id, t.task_id, r.dag_id, t.tries_max, t.state, a.epoch FROM task_instance t"
            " JOIN dag_run r ON r.id = t.dag_run_id"
            " LEFT JOIN attempt a ON a.task_instance_id = t.id AND a.state = 'success'",
        )
        starts = Counter(ti for ti, _ in witness.starts)
        for ti, task_id, dag_id, tries_max, state, epoch in accepted:
            if ti in self.cleared:
                continue
            if state == "success" and witness.ends.get((ti, epoch)) != "success":
                raise Broken(f"I-8: {dag_id}.{task_id} ({ti}) succeeded without a process that did")
            if starts[ti] > tries_max + 1:
                raise Broken(f"I-9: {dag_id}.{task_id} ({ti}) began {starts[ti]} times")


def _rows(connection: Any, statement: str, *parameters: Any) -> list[Any]:
    return list(connection.exec_driver_sql(statement, tuple(parameters)))
