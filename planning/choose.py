"""Which scheduled task instances are queued now, and what holds the others.

Source: ``spec/semantics.md`` section 5.8. All counts are of rows in ``OCCUPYING`` states, taken
by the caller in the transaction that also queues.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

_NO_DATE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One scheduled task instance of a running dag run of a DAG that is not paused."""

    task_instance_id: int
    dag_id: str
    dag_run_id: int
    task_id: str
    map_index: int = -1
    priority_weight: int = 1
    #: The run's logical date, else its ``run_after``.
    logical_date: datetime | None = None
    pool: str = "default_pool"
    pool_slots: int = 1
    queue: str = "default"
    executor: str = ""
    max_active_tasks: int = 16
    #: "run" or "dag": over what ``max_active_tasks`` counts.
    max_active_tasks_scope: str = "run"
    max_active_tis_per_dag: int | None = None
    max_active_tis_per_dagrun: int | None = None


@dataclass(frozen=True, slots=True)
class PoolSlots:
    """One pool: its slots (-1: unlimited) and how many are taken."""

    total: int
    used: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits, and how much of each is taken already."""

    pools: Mapping[str, PoolSlots]
    #: Task instances that may occupy a slot at once, of all DAGs; None: no such limit here.
    parallelism: int | None = None
    used: int = 0
    #: How many of these wait to be claimed.
    queued: int = 0
    #: Occupying instances of whole DAGs, of single runs, of tasks over all runs and in one run.
    used_by_dag: Mapping[str, int] = field(default_factory=dict)
    used_by_run: Mapping[int, int] = field(default_factory=dict)
    used_by_task: Mapping[tuple[str, str], int] = field(default_factory=dict)
    used_by_task_in_run: Mapping[tuple[int, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blocked:
    """A candidate that has to wait. ``limit`` names what holds it, ``reason`` says it."""

    candidate: Candidate
    limit: str
    reason: str


class _Slots:
    """What is left while candidates are being taken."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.used = limits.used
        self.pools = {name: pool.used for name, pool in limits.pools.items()}
        self.by_dag = dict(limits.used_by_dag)
        self.by_run = dict(limits.used_by_run)
        self.by_task = dict(limits.used_by_task)
        self.by_task_in_run = dict(limits.used_by_task_in_run)

    def take(self, one: Candidate) -> None:
        self.used += 1
        self.pools[one.pool] += one.pool_slots
        self.by_dag[one.dag_id] = self.by_dag.get(one.dag_id, 0) + 1
        self.by_run[one.dag_run_id] = self.by_run.get(one.dag_run_id, 0) + 1
        task, in_run = (one.dag_id, one.task_id), (one.dag_run_id, one.task_id)
        self.by_task[task] = self.by_task.get(task, 0) + 1
        self.by_task_in_run[in_run] = self.by_task_in_run.get(in_run, 0) + 1

    def find_obstacle(self, one: Candidate) -> tuple[str, str] | None:
        """Return the limit that holds *one* and a sentence about it; None: it fits."""
        return self._pool_obstacle(one) or self._count_obstacle(one)

    def _pool_obstacle(self, one: Candidate) -> tuple[str, str] | None:
        pool = self.limits.pools.get(one.pool)
        if pool is None:
            return "pool", (
                f"there is no pool {one.pool!r}: create it, or change the pool of the task "
                f"{one.task_id!r} of the DAG {one.dag_id!r}"
            )
        if pool.total < 0:
            return None
        if one.pool_slots > pool.total:
            return "pool", (
                f"it needs {one.pool_slots} slots of pool {one.pool!r}, which has {pool.total}"
            )
        if self.pools[one.pool] + one.pool_slots > pool.total:
            return "pool", (
                f"pool {one.pool!r} has {max(0, pool.total - self.pools[one.pool])} of "
                f"{pool.total} slots free, it needs {one.pool_slots}"
            )
        return None

    def _count_obstacle(self, one: Candidate) -> tuple[str, str] | None:
        scope = one.max_active_tasks_scope
        active = (
            self.by_dag.get(one.dag_id, 0) if scope == "dag" else self.by_run.get(one.dag_run_id, 0)
        )
        if active >= one.max_active_tasks:
            return "max_active_tasks", (
                f"{active} tasks of its {'DAG' if scope == 'dag' else 'run'} are active, "
                f"max_active_tasks is {one.max_active_tasks}"
            )
        active = self.by_task.get((one.dag_id, one.task_id), 0)
        if one.max_active_tis_per_dag is not None and active >= one.max_active_tis_per_dag:
            return "max_active_tis_per_dag", (
                f"{active} instances of the task are active in all runs, "
                f"max_active_tis_per_dag is {one.max_active_tis_per_dag}"
            )
        active = self.by_task_in_run.get((one.dag_run_id, one.task_id), 0)
        if one.max_active_tis_per_dagrun is not None and active >= one.max_active_tis_per_dagrun:
            return "max_active_tis_per_dagrun", (
                f"{active} instances of the task are active in this run, "
                f"max_active_tis_per_dagrun is {one.max_active_tis_per_dagrun}"
            )
        parallelism = self.limits.parallelism
        if parallelism is not None and self.used >= parallelism:
            return "parallelism", f"{self.used} tasks are active, parallelism is {parallelism}"
        return None


def urgency(one: Candidate) -> tuple[int, datetime, int, int]:
    """Return the sort key of section 5.8: weight falling, then date, map index, age."""
    return (
        -one.priority_weight,
        one.logical_date or _NO_DATE,
        one.map_index,
        one.task_instance_id,
    )


def choose(
    candidates: Iterable[Candidate], limits: Limits
) -> tuple[list[Candidate], list[Blocked]]:
    """Pick the task instances to queue now without exceeding any limit.

    Args:
        candidates: scheduled task instances in any order.

    Returns:
        Those chosen, most urgent first, and the others with what holds them. One that does not
        fit is passed over, and others behind it may still be chosen: neither a wide task nor a
        full pool may starve the rest.
    """
    slots = _Slots(limits)
    chosen: list[Candidate] = []
    blocked: list[Blocked] = []
    for one in sorted(candidates, key=urgency):
        obstacle = slots.find_obstacle(one)
        if obstacle is None:
            slots.take(one)
            chosen.append(one)
        else:
            blocked.append(Blocked(one, *obstacle))
    return chosen, blocked
