"""Queues scheduled task instances under all limits, counted from rows in the same transaction."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, bindparam, func, or_, select, text

from ..planning.choose import Blocked, Candidate, Limits, PoolSlots, choose
from ..sdk.states import OCCUPYING as OCCUPYING_STATES
from ..sdk.states import DagRunState, TaskInstanceState
from . import state_writes
from .errors import NotFound
from .event_writes import Event, describe
from .settings import StoreSettings
from .state_writes import HELD_COLUMNS, Held, Move, held_from
from .tables import dag, dag_run, pool, task_instance
from .tables.runs import OCCUPYING, SCHEDULED
from .versions import VersionCache

if TYPE_CHECKING:
    from .claiming import Claimer

log = logging.getLogger(__name__)

#: Counted by the database: thousands of mapped instances that run are a few rows here.
_OCCUPYING = (
    select(
        task_instance.c.state,
        task_instance.c.task_id,
        task_instance.c.pool,
        task_instance.c.dag_run_id,
        dag_run.c.dag_id,
        func.count().label("instances"),
        func.sum(task_instance.c.pool_slots).label("slots"),
    )
    .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
    .where(text(f"task_instance.{OCCUPYING}"))
    .group_by(
        task_instance.c.state,
        task_instance.c.task_id,
        task_instance.c.pool,
        task_instance.c.dag_run_id,
        dag_run.c.dag_id,
    )
)

_POOLS = select(pool.c.name, pool.c.slots, pool.c.include_deferred)
#: Where writers run side by side: nobody else hands out until this transaction ends.
_HELD_POOLS = _POOLS.order_by(pool.c.name).with_for_update()

#: One newly queued task instance: the move, what was asked, and its row (``_SCHEDULED``).
Queued = tuple[Move, Candidate, Any]
_Found = tuple[Candidate, Held, Any]

#: Of running runs of DAGs that are not paused; a backfill runs on a paused DAG too.
_SCHEDULED = (
    select(
        *HELD_COLUMNS,
        dag_run.c.dag_id,
        dag_run.c.logical_date,
        dag_run.c.run_after,
        dag_run.c.run_id,
        task_instance.c.priority_weight,
        task_instance.c.pool,
        task_instance.c.pool_slots,
        task_instance.c.queue,
        task_instance.c.executor,
        # What whoever claims it at once hands on.
        task_instance.c.operator_name,
        task_instance.c.reschedule_count,
        task_instance.c.first_reschedule_at,
        task_instance.c.next_method,
        task_instance.c.next_kwargs,
    )
    .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
    .join(dag, dag.c.dag_id == dag_run.c.dag_id)
    .where(
        text(f"task_instance.{SCHEDULED}"),
        dag_run.c.state == DagRunState.RUNNING.value,
        or_(
            dag.c.is_paused.is_(False),
            and_(dag_run.c.backfill_id.is_not(None)),
        ),
    )
)


#: The order of ``planning.choose.urgency``.
_URGENCY = (
    task_instance.c.priority_weight.desc(),
    func.coalesce(dag_run.c.logical_date, dag_run.c.run_after),
    task_instance.c.map_index,
    task_instance.c.id,
)

#: Scheduled task instances looked at together: about what one turn can start.
PAGE = 32

_FIRST_PAGE = (
    _SCHEDULED.order_by(*_URGENCY)
    .limit(PAGE)
    # Where writers run side by side: what another one holds is his to hand out.
    .with_for_update(of=task_instance, skip_locked=True)
)
_NEXT_PAGE = _FIRST_PAGE.where(
    task_instance.c.id.not_in(bindparam("hidden_ids", expanding=True)),
    task_instance.c.dag_run_id.not_in(bindparam("hidden_run_ids", expanding=True)),
    dag_run.c.dag_id.not_in(bindparam("hidden_dag_ids", expanding=True)),
    task_instance.c.pool.not_in(bindparam("hidden_pools", expanding=True)),
)


def load_limits(
    connection: Connection, settings: StoreSettings, *, is_to_hold: bool = False
) -> Limits:
    """Count what is taken of every limit, from the rows that take it.

    Args:
        is_to_hold: keep everybody else from taking more until the transaction ends.
    """
    found = connection.execute(_HELD_POOLS if is_to_hold else _POOLS)
    occupying = connection.execute(_OCCUPYING)
    pools = {row.name: row for row in found.all()}
    used = queued = 0
    by_pool: Counter[str] = Counter()
    by_dag: Counter[str] = Counter()
    by_run: Counter[int] = Counter()
    by_task: Counter[tuple[str, str]] = Counter()
    by_task_in_run: Counter[tuple[int, str]] = Counter()
    for row in occupying.all():
        state = TaskInstanceState(row.state)
        if state is TaskInstanceState.QUEUED:
            queued += row.instances
        # A deferred task instance holds no process; only its task's own limits count it.
        by_task[row.dag_id, row.task_id] += row.instances
        by_task_in_run[row.dag_run_id, row.task_id] += row.instances
        if state in OCCUPYING_STATES:
            used += row.instances
            by_pool[row.pool] += row.slots
            by_dag[row.dag_id] += row.instances
            by_run[row.dag_run_id] += row.instances
        elif row.pool in pools and pools[row.pool].include_deferred:
            by_pool[row.pool] += row.slots
    return Limits(
        pools={name: PoolSlots(row.slots, by_pool[name]) for name, row in pools.items()},
        parallelism=settings.parallelism,
        used=used,
        queued=queued,
        used_by_dag=by_dag,
        used_by_run=by_run,
        used_by_task=by_task,
        used_by_task_in_run=by_task_in_run,
    )


def _candidates(
    connection: Connection, versions: VersionCache, rows: Iterable[Any]
) -> list[_Found]:
    """Return scheduled task instances that may be queued."""
    found = []
    for row in rows:
        held = held_from(row)
        try:
            version = versions.get(connection, held.version_id)
        except (NotFound, ValueError):
            log.exception("task instance %s has no usable DAG version", held.id)
            continue
        task = version.structure.tasks.get(held.task_id)
        candidate = Candidate(
            task_instance_id=held.id,
            dag_id=row.dag_id,
            dag_run_id=held.dag_run_id,
            task_id=held.task_id,
            map_index=held.map_index,
            priority_weight=row.priority_weight,
            logical_date=row.logical_date or row.run_after,
            pool=row.pool,
            pool_slots=row.pool_slots,
            queue=row.queue,
            executor=row.executor,
            max_active_tasks=version.dag.max_active_tasks,
            max_active_tasks_scope=version.dag.max_active_tasks_scope,
            max_active_tis_per_dag=None if task is None else task.max_active_tis_per_dag,
            max_active_tis_per_dagrun=None if task is None else task.max_active_tis_per_dagrun,
        )
        found.append((candidate, held, row))
    return found


def find_blocked(
    connection: Connection, versions: VersionCache, settings: StoreSettings
) -> list[Blocked]:
    """Tell what holds each scheduled task instance now; nothing is written."""
    rows = connection.execute(_SCHEDULED).all()
    candidates = [one for one, _, _ in _candidates(connection, versions, rows)]
    return choose(candidates, load_limits(connection, settings))[1]


def queue_scheduled(
    connection: Connection,
    versions: VersionCache,
    settings: StoreSettings,
    now: datetime,
    claimer: Claimer | None = None,
    *,
    is_expected: bool = False,
) -> list[Queued]:
    """Queue what limits allow; return the moves that were made, most urgent first.

    Args:
        claimer: who may take some of it in the same write.
        is_expected: something is scheduled: limits are asked for together with it.
    """
    if claimer is not None:
        claimer.prepare()
    chosen, limits = _choose(connection, versions, settings, is_expected=is_expected)
    if limits is None:
        return []
    queued = [(state_writes.queue(held, now), one, row) for one, held, row in chosen]
    moves = [one[0] for one in queued]
    if claimer is not None and limits.queued == 0:  # else others come first
        moves = claimer.join(queued)
    won = {move.held.id for move in state_writes.write_moves(connection, moves)}
    if claimer is not None:
        claimer.keep(won)
    return [one for one in queued if one[0].held.id in won]


def _choose(
    connection: Connection, versions: VersionCache, settings: StoreSettings, *, is_expected: bool
) -> tuple[list[_Found], Limits | None]:
    """Choose page by page, most urgent first, so that a long queue costs only what can go.

    What a full limit holds back is left out of the next page: neither a wide task nor a full
    pool hides the others.

    Returns:
        What was chosen, and the limits as they were before; None: nothing is scheduled.
    """
    limits: Limits | None = None
    chosen: list[_Found] = []
    hidden = _Hidden()
    while True:
        if limits is None:
            rows = connection.execute(_FIRST_PAGE)
            if is_expected:
                limits = load_limits(connection, settings, is_to_hold=True)
        else:
            rows = connection.execute(_NEXT_PAGE, hidden.parameters())
        page = _candidates(connection, versions, rows.all())
        known = {one.task_instance_id for one, _, _ in chosen}
        found = [*chosen, *(one for one in page if one[0].task_instance_id not in known)]
        if not found:
            return [], None
        if limits is None:
            limits = load_limits(connection, settings, is_to_hold=True)
        picked, blocked = choose([one for one, _, _ in found], limits)
        ids = {one.task_instance_id for one in picked}
        chosen = [one for one in found if one[0].task_instance_id in ids]
        is_full = limits.parallelism is not None and limits.used + len(picked) >= limits.parallelism
        if len(page) < PAGE or is_full:
            order = {one.task_instance_id: position for position, one in enumerate(picked)}
            return sorted(chosen, key=lambda one: order[one[0].task_instance_id]), limits
        hidden.add(picked, blocked, limits)


@dataclass(slots=True)
class _Hidden:
    """What the pages before have settled: chosen ones, and what full limits hold back."""

    instance_ids: set[int] = field(default_factory=set)
    dag_run_ids: set[int] = field(default_factory=set)
    dag_ids: set[str] = field(default_factory=set)
    pools: set[str] = field(default_factory=set)

    def add(self, picked: Sequence[Candidate], blocked: Sequence[Blocked], limits: Limits) -> None:
        """Hide what need not be asked again in this transaction."""
        self.instance_ids.update(one.task_instance_id for one in picked)
        taken: Counter[str] = Counter()
        for one in picked:
            taken[one.pool] += one.pool_slots
        for obstacle in blocked:
            candidate = obstacle.candidate
            if obstacle.limit == "max_active_tasks" and candidate.max_active_tasks_scope == "dag":
                self.dag_ids.add(candidate.dag_id)
            elif obstacle.limit == "max_active_tasks":
                self.dag_run_ids.add(candidate.dag_run_id)
            elif obstacle.limit == "pool":
                pool_slots = limits.pools.get(candidate.pool)
                if (
                    pool_slots is None
                    or pool_slots.used + taken[candidate.pool] >= pool_slots.total
                ):
                    self.pools.add(candidate.pool)
                else:
                    self.instance_ids.add(candidate.task_instance_id)
            else:
                self.instance_ids.add(candidate.task_instance_id)

    def parameters(self) -> dict[str, Any]:
        """Return what the next page leaves out."""
        return {
            "hidden_ids": list(self.instance_ids),
            "hidden_run_ids": list(self.dag_run_ids),
            "hidden_dag_ids": list(self.dag_ids),
            "hidden_pools": list(self.pools),
        }


def hints_of(queued: Sequence[Queued]) -> dict[str, list[tuple[int, int, str]]]:
    """Return what executors are told: executor → (task instance id, epoch, queue).

    The executor is named as the task names it; "" is the default one.
    """
    hints: dict[str, list[tuple[int, int, str]]] = {}
    for move, candidate, _ in queued:
        hint = (move.held.id, move.values["epoch"], candidate.queue)
        hints.setdefault(candidate.executor, []).append(hint)
    return hints


def queue_events(queued: Sequence[Queued], actor: str) -> list[Event]:
    """Return the event log's entries about newly queued task instances, one a run."""
    changes: dict[tuple[str, str], list[Any]] = {}
    for move, candidate, row in queued:
        changes.setdefault((candidate.dag_id, row.run_id), []).append(describe(move))
    return [
        Event("state", actor, dag_id, run_id, detail={"changes": lines})
        for (dag_id, run_id), lines in changes.items()
    ]
