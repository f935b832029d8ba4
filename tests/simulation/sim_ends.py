"""What must hold when all faults are healed and nothing moves any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sim_invariants import FINISHED_NAMES, FINISHED_SQL, Broken, Invariants, rows_of
from sim_processes import Witness
from sim_reference import possible_ends, slots
from sim_workload import CONSUMER, PRODUCER, ZONED, ZONED_MINUTES
from tradewind.database.store import Store
from tradewind.sdk.serialized import SerializedDag

_INSTANCES = (
    "SELECT t.id, t.task_id, t.state, t.try_number, t.tries_max, r.id, r.dag_id, r.state,"
    " r.version_id, r.state_reason FROM task_instance t JOIN dag_run r ON r.id = t.dag_run_id"
)


class EndChecks:
    """Checks one world at rest."""

    def __init__(
        self, store: Store, invariants: Invariants, witness: Witness, zoned: SerializedDag
    ) -> None:
        self._store = store
        self._cleared = invariants.cleared
        self._marked_run_ids = invariants.marked_run_ids
        self._moved_run_ids = invariants.moved_run_ids
        self._witness = witness
        self._zoned = zoned
        self._structures: dict[int, SerializedDag] = {}

    def check(self, latest: datetime) -> None:
        """Raise ``Broken`` where something does not hold.

        Args:
            latest: the latest instant that the wall clock has shown.
        """
        self._latest = latest
        with self._store.database.read() as connection:
            versions = rows_of(connection, "SELECT DISTINCT version_id FROM dag_run")
        for (version_id,) in versions:
            self._structures[version_id] = self._store.dags.version(version_id)
        with self._store.database.read() as connection:
            self._check_quiet(connection)
            runs = self._by_run(rows_of(connection, _INSTANCES))
            attempts: dict[int, list[Any]] = {}
            for row in rows_of(
                connection,
                "SELECT task_instance_id, epoch, try_number, state FROM attempt ORDER BY 1, 2",
            ):
                attempts.setdefault(row[0], []).append(row[1:])
            self._check_assets(connection)
            self._check_slots(connection)
        self._check_runs(runs)
        self._check_structure(runs)
        self._check_witness(runs, attempts)
        self._check_reference(runs, attempts)

    def _by_run(self, rows: list[Any]) -> dict[int, dict[str, Any]]:
        runs: dict[int, dict[str, Any]] = {}
        for row in rows:
            runs.setdefault(row[5], {})[row[1]] = row
        return runs

    def _structure(self, version_id: int) -> SerializedDag:
        return self._structures[version_id]

    def _check_quiet(self, connection: Any) -> None:
        held = blocked_dag_ids(connection, self._structure)
        unfinished = rows_of(
            connection,
            "SELECT r.dag_id, r.run_id, r.state, t.task_id, t.state, t.state_reason"
            " FROM dag_run r JOIN task_instance t ON t.dag_run_id = r.id"
            f" WHERE (t.state NOT IN ({FINISHED_SQL}) AND r.state_reason <> 'all_tasks_deadlocked')"
            " OR r.state IN ('queued', 'running')",
        )
        rests = ("none", "up_for_retry", *FINISHED_NAMES)
        left = [row for row in unfinished if row[0] not in held or row[4] not in rests]
        live = rows_of(connection, "SELECT * FROM attempt WHERE state IN ('claimed', 'running')")
        if left or live:
            raise Broken(f"I-16: not finished: {left[:5]} ({len(left)}), live attempts {live[:3]}")
        doubles = rows_of(
            connection,
            "SELECT dag_id, logical_date FROM dag_run WHERE logical_date IS NOT NULL"
            " GROUP BY 1, 2 HAVING count(*) > 1",
        )
        if doubles:
            raise Broken(f"I-20: slots with two runs: {doubles}")
        silent = rows_of(connection, "SELECT dag_id FROM dag WHERE is_active = 0")
        if silent:
            raise Broken(f"I-27: inactive although nobody removed a file: {silent}")

    def _check_runs(self, runs: dict[int, dict[str, Any]]) -> None:
        for run_id, tasks in runs.items():
            *_, dag_id, state, version_id, reason = next(iter(tasks.values()))
            structure = self._structure(version_id)
            leaves = set(tasks) - {up for task in structure.tasks for up in task.upstream_task_ids}
            bad = any(tasks[leaf][2] in ("failed", "upstream_failed") for leaf in leaves)
            bad = bad or reason == "all_tasks_deadlocked"
            if state in ("queued", "running"):
                continue  # held by its past, as was checked
            if (state == "failed") != bad and run_id not in self._marked_run_ids:
                ends = {name: row[2] for name, row in tasks.items()}
                raise Broken(f"I-17: run {run_id} of {dag_id} is {state}, its tasks are {ends}")

    def _check_structure(self, runs: dict[int, dict[str, Any]]) -> None:
        for run_id, tasks in runs.items():
            version_id = next(iter(tasks.values()))[8]
            wanted = {task.task_id for task in self._structure(version_id).tasks}
            there = {name for name, row in tasks.items() if row[2] != "removed"}
            if there != wanted:
                raise Broken(f"I-28: run {run_id} has {sorted(there)}, its version {wanted}")

    def _check_witness(
        self, runs: dict[int, dict[str, Any]], attempts: dict[int, list[Any]]
    ) -> None:
        witness = self._witness
        twice = [attempt for attempt, n in Counter(witness.starts).items() if n > 1]
        if twice:
            raise Broken(f"I-7: started twice under one epoch: {twice}")
        claimed = {(ti, one[0]) for ti, some in attempts.items() for one in some}
        stray = [attempt for attempt in witness.starts if attempt not in claimed]
        if stray:
            raise Broken(f"I-6: started without a claim: {stray[:5]}")
        starts = Counter(
            ti for ti, epoch in witness.starts if witness.ends.get((ti, epoch)) != "deferred"
        )
        for tasks in runs.values():
            for ti, task_id, state, _, tries_max, _, dag_id, *_ in tasks.values():
                if ti in self._cleared:
                    continue
                won = [one[0] for one in attempts.get(ti, ()) if one[2] == "success"]
                if state == "success" and [witness.ends.get((ti, e)) for e in won] != ["success"]:
                    raise Broken(f"I-8: {dag_id}.{task_id} ({ti}) succeeded without a process")
                if starts[ti] > tries_max + 1:
                    raise Broken(f"I-9: {dag_id}.{task_id} ({ti}) began {starts[ti]} times")

    def _check_reference(
        self, runs: dict[int, dict[str, Any]], attempts: dict[int, list[Any]]
    ) -> None:
        """I-18: the end is one that the reference executor allows; I-11: after what it needs."""
        for run_id, tasks in runs.items():
            *_, dag_id, _state, version_id, _reason = next(iter(tasks.values()))
            by_people = self._marked_run_ids | self._moved_run_ids
            if run_id in by_people or any(r[0] in self._cleared for r in tasks.values()):
                continue
            states = {name: row[2] for name, row in tasks.items()}
            for task in self._structure(version_id).tasks:
                ti, _, state, _, tries_max, *_ = tasks[task.task_id]
                if state in ("none", "up_for_retry"):
                    continue  # its run was deadlocked: it depends on a past that failed
                # Where a host is lost for ever nobody knows whether a try had begun: it may count.
                tries, deaths = self._tries(ti, attempts.get(ti, []), counts_all=False)
                most, _ = self._tries(ti, attempts.get(ti, []), counts_all=True)
                allowed = possible_ends(task, states, tries, deaths, tries_max)
                allowed |= possible_ends(task, states, most, deaths, tries_max)
                if state not in allowed:
                    above = {name: states[name] for name in task.upstream_task_ids}
                    raise Broken(
                        f"I-18: {dag_id}.{task.task_id} ({ti}) is {state}, not {allowed}:"
                        f" {task.trigger_rule} {above}, tries {tries}"
                    )
                self._check_order(task, tasks, attempts)

    def _tries(self, ti: int, attempts: list[Any], *, counts_all: bool) -> tuple[list[str], int]:
        """Return how each try ended by the witness, and how many runners died over it at last."""
        tries: dict[int, str] = {}
        deaths = 0
        for epoch, try_number, state in attempts:
            if state == "returned":
                continue
            deaths = deaths + 1 if state == "lost" else 0
            end = "lost" if state == "lost" else self._witness.ends.get((ti, epoch), "killed")
            has_begun = (ti, epoch) in self._witness.started_s
            if state == "lost" and not has_begun and not counts_all:
                continue
            tries[try_number] = end
        return [tries[number] for number in sorted(tries)], deaths

    def _check_order(
        self, task: Any, tasks: dict[str, Any], attempts: dict[int, list[Any]]
    ) -> None:
        ti = tasks[task.task_id][0]
        began = [s for (one, _), s in self._witness.started_s.items() if one == ti]
        if not began or task.trigger_rule in ("one_success", "one_failed"):
            return
        for name in task.upstream_task_ids:
            above = tasks[name][0]
            good = [one[0] for one in attempts.get(above, ()) if one[2] == "success"]
            ended = [self._witness.ended_s.get((above, epoch), 0.0) for epoch in good]
            if ended and min(began) < max(ended):
                raise Broken(f"I-11: {task.task_id} ({ti}) began before {name} had ended")

    def _check_assets(self, connection: Any) -> None:
        """Each success made one event, and each event was consumed once or still waits."""
        made = rows_of(
            connection,
            "SELECT t.id, (SELECT count(*) FROM asset_event e WHERE e.source_dag_id = r.dag_id"
            " AND e.source_run_id = r.run_id AND e.source_task_id = t.task_id),"
            " (SELECT count(*) FROM attempt a WHERE a.task_instance_id = t.id"
            " AND a.state = 'success')"
            " FROM task_instance t JOIN dag_run r ON r.id = t.dag_run_id"
            f" WHERE t.task_id = '{PRODUCER}' AND r.dag_id NOT IN ('{CONSUMER}', '{ZONED}')",
        )
        wrong = [row for row in made if row[1] != row[2]]
        if wrong:
            raise Broken(f"I-23: (task instance, events, successes) {wrong[:5]}")
        counted = rows_of(
            connection,
            "SELECT e.id, (SELECT count(*) FROM asset_consumption c WHERE c.event_id = e.id),"
            " (SELECT count(*) FROM asset_queue q WHERE q.event_id = e.id) FROM asset_event e"
            f" WHERE e.source_dag_id <> '{ZONED}'",
        )
        wrong = [row for row in counted if row[1] + row[2] != 1]
        if wrong:
            raise Broken(f"I-23: (event, times consumed, times waiting) {wrong[:5]}")

    def _check_slots(self, connection: Any) -> None:
        """I-21, I-22: the zoned DAG has one run for each interval, and they tile."""
        rows = rows_of(
            connection,
            "SELECT logical_date, data_interval_start, data_interval_end FROM dag_run"
            f" WHERE dag_id = '{ZONED}' AND run_type = 'scheduled' ORDER BY 1",
        )
        found = [_instant(row[0]) for row in rows]
        start = self._zoned.start_at
        assert start is not None
        wanted = slots(self._zoned.timezone, ZONED_MINUTES, start, self._latest)
        if found != wanted[: len(found)]:
            raise Broken(f"I-21: slots {found}, not {wanted}")
        for before, after in pairwise(rows):
            if before[2] != after[1]:
                raise Broken(f"I-22: {before} and {after} do not tile")


def blocked_dag_ids(connection: Any, structure: Callable[[int], SerializedDag]) -> set[str]:
    """Return DAGs with a run that waits for its past, for a person to mend it, rightly."""
    waiting = rows_of(
        connection,
        "SELECT r.dag_id, r.logical_date, r.version_id, t.task_id FROM dag_run r"
        " JOIN task_instance t ON t.dag_run_id = r.id"
        " WHERE r.state = 'running' AND t.state IN ('none', 'up_for_retry')",
    )
    found = set()
    for dag_id, logical_date, version_id, task_id in waiting:
        dag = structure(version_id)
        task = next((task for task in dag.tasks if task.task_id == task_id), None)
        if task is None or not task.depends_on_past:
            continue
        previous = rows_of(
            connection,
            "SELECT t.state FROM dag_run r LEFT JOIN task_instance t ON t.dag_run_id = r.id"
            " AND t.task_id = ? WHERE r.dag_id = ? AND r.logical_date < ?"
            + (" AND r.run_type <> 'manual'" if dag.catchup else "")
            + " ORDER BY r.logical_date DESC LIMIT 1",
            task_id,
            dag_id,
            logical_date,
        )
        if previous and previous[0][0] not in ("success", "skipped"):
            found.add(dag_id)
    return found


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
