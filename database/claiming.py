"""Claims queued task instances for one runner: from queued to running, before user code starts.

A claim carries all that the runner needs, so that it never reads the database for a start.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text

from ..planning.expand import Results, argument_lengths
from ..planning.snapshot import InstanceSnapshot
from ..sdk.states import TaskInstanceState
from . import state_writes
from .settings import StoreSettings
from .snapshots import load_lengths
from .state_writes import HELD_COLUMNS, Held, held_from
from .tables import attempt, dag_run, task_instance, worker, xcom
from .tables.runs import OCCUPYING
from .values import Claim, ClaimRequest
from .versions import Version, VersionCache

_EXTRA = (
    task_instance.c.queue,
    task_instance.c.queued_at,
    task_instance.c.pool,
    task_instance.c.pool_slots,
    task_instance.c.priority_weight,
    task_instance.c.operator_name,
    task_instance.c.reschedule_count,
    task_instance.c.first_reschedule_at,
    task_instance.c.next_method,
    task_instance.c.next_kwargs,
)

_QUEUED = (
    select(*HELD_COLUMNS, *_EXTRA)
    .where(
        text(f"task_instance.{OCCUPYING}"),
        task_instance.c.state == "queued",
        task_instance.c.executor.in_(bindparam("executors", expanding=True)),
    )
    .order_by(
        task_instance.c.priority_weight.desc(),
        task_instance.c.queued_at,
        task_instance.c.map_index,
        task_instance.c.id,
    )
    .limit(bindparam("limit"))
    # Where writers run side by side: what another runner is about to take is his.
    .with_for_update(skip_locked=True)
)
_QUEUED_OF_QUEUES = _QUEUED.where(task_instance.c.queue.in_(bindparam("queues", expanding=True)))
_QUEUED_THESE = _QUEUED.where(task_instance.c.id.in_(bindparam("ids", expanding=True)))

_RUN_COLUMNS = (
    "id",
    "dag_id",
    "run_id",
    "run_type",
    "state",
    "logical_date",
    "data_interval_start",
    "data_interval_end",
    "run_after",
    "created_at",
    "queued_at",
    "started_at",
    "ended_at",
    "conf",
    "note",
    "clear_number",
    "triggered_by",
    "triggering_user",
    "external_trigger",
    "version_id",
    "backfill_id",
)

_RUNS = select(*(dag_run.c[name] for name in _RUN_COLUMNS)).where(
    dag_run.c.id.in_(bindparam("ids", expanding=True))
)

_COUNTS = (
    select(task_instance.c.task_id, func.count())
    .where(
        task_instance.c.dag_run_id == bindparam("dag_run_id"),
        task_instance.c.task_id.in_(bindparam("task_ids", expanding=True)),
        task_instance.c.state != TaskInstanceState.REMOVED.value,
    )
    .group_by(task_instance.c.task_id)
)

_SOURCES = select(
    task_instance.c.id, task_instance.c.task_id, task_instance.c.map_index, task_instance.c.state
).where(
    task_instance.c.dag_run_id == bindparam("dag_run_id"),
    task_instance.c.task_id.in_(bindparam("task_ids", expanding=True)),
)

_LEASE = select(worker.c.state).where(worker.c.id == bindparam("worker_id"))

_INSERT_ATTEMPT = insert(attempt)

_DELETE_XCOMS = delete(xcom).where(
    xcom.c.dag_run_id == bindparam("held_dag_run_id"),
    xcom.c.task_id == bindparam("held_task_id"),
    xcom.c.map_index == bindparam("held_map_index"),
)
#: A task that is not mapped owns whatever was pushed under its id (semantics 5.6).
_DELETE_ALL_XCOMS = delete(xcom).where(
    xcom.c.dag_run_id == bindparam("held_dag_run_id"),
    xcom.c.task_id == bindparam("held_task_id"),
)


def claim_queued(
    connection: Connection,
    versions: VersionCache,
    settings: StoreSettings,
    request: ClaimRequest,
    now: datetime,
) -> list[Claim]:
    """Give queued task instances to a runner, most urgent first, at most ``request.limit``.

    A runner whose lease is over gets nothing: all that it held was declared lost.
    """
    if request.limit <= 0:
        return []
    lease = connection.execute(_LEASE, {"worker_id": request.worker_id}).scalar()
    if lease != "alive":
        return []
    rows = _find_queued(connection, settings, request)
    if not rows:
        return []
    claim_ids = {row.id: str(uuid.uuid4()) for row in rows}
    moves = [
        state_writes.run(
            held_from(row),
            now,
            claim_id=claim_ids[row.id],
            worker_id=request.worker_id,
            hostname=request.hostname,
        )
        for row in rows
    ]
    won = {move.held.id for move in state_writes.write_moves(connection, moves)}
    rows = [row for row in rows if row.id in won]
    if not rows:
        return []
    connection.execute(
        _INSERT_ATTEMPT,
        [
            {
                "task_instance_id": row.id,
                "epoch": row.epoch,
                "claim_id": claim_ids[row.id],
                "try_number": row.try_number,
                "state": "claimed",
                "worker_id": request.worker_id,
                "version_id": row.version_id,
                "claimed_at": now,
                "hostname": request.hostname,
            }
            for row in rows
        ],
    )
    _delete_old_xcoms(connection, rows)
    return _build(connection, versions, rows, claim_ids)


def _find_queued(
    connection: Connection, settings: StoreSettings, request: ClaimRequest
) -> Sequence[Any]:
    parameters: dict[str, Any] = {
        "executors": settings.executors.names_of(request.executor),
        "limit": request.limit,
    }
    statement = _QUEUED
    if request.task_instance_ids is not None:
        statement = _QUEUED_THESE
        parameters["ids"] = list(request.task_instance_ids)
    elif request.queues is not None:
        statement = _QUEUED_OF_QUEUES
        parameters["queues"] = list(request.queues)
    return connection.execute(statement, parameters).all()


def _delete_old_xcoms(connection: Connection, rows: Sequence[Any]) -> None:
    """Remove what earlier starts pushed; a first hand-out has none, a resumed one keeps them."""
    again = [row for row in rows if row.epoch > 1 and row.next_method is None]
    for statement, some in (
        (_DELETE_XCOMS, [row for row in again if row.map_index >= 0]),
        (_DELETE_ALL_XCOMS, [row for row in again if row.map_index < 0]),
    ):
        if some:
            connection.execute(
                statement,
                [
                    {
                        "held_dag_run_id": row.dag_run_id,
                        "held_task_id": row.task_id,
                        **({"held_map_index": row.map_index} if row.map_index >= 0 else {}),
                    }
                    for row in some
                ],
            )


class _Builder:
    """Builds the claims of one batch; what they share is read once."""

    def __init__(self, connection: Connection, versions: VersionCache) -> None:
        self.connection = connection
        self.versions = versions
        self.lengths: dict[tuple[int, str], tuple[int, ...]] = {}
        self.counts: dict[tuple[int, str], Mapping[str, int]] = {}

    def mapped_lengths(self, held: Held, version: Version) -> tuple[int, ...]:
        """Return the element counts of a mapped task's arguments; () where it is not mapped."""
        structure = version.structure
        if held.map_index < 0 or not structure.expansions.get(held.task_id):
            return ()
        key = (held.dag_run_id, held.task_id)
        if key not in self.lengths:
            sources: dict[str, list[InstanceSnapshot]] = {}
            wanted = list(structure.length_task_ids.get(held.task_id, ()))
            if wanted:
                rows = self.connection.execute(
                    _SOURCES, {"dag_run_id": held.dag_run_id, "task_ids": wanted}
                )
                for row in rows:
                    sources.setdefault(row.task_id, []).append(
                        InstanceSnapshot(
                            row.id, row.task_id, row.map_index, TaskInstanceState(row.state)
                        )
                    )
            pushed = load_lengths(self.connection, held.dag_run_id, version) if wanted else {}
            found = argument_lengths(structure, held.task_id, Results(structure, sources, pushed))
            self.lengths[key] = found or ()
        return self.lengths[key]

    def upstream_counts(self, held: Held, version: Version) -> Mapping[str, int]:
        """Return how many instances each mapped neighbour has that user code may pull from."""
        structure = version.structure
        if held.task_id not in structure.tasks:
            return {}
        wanted = {id_ for id_ in structure.upstream_ids[held.task_id] if structure.expansions[id_]}
        for group_id in structure.mapped_groups[held.task_id]:
            wanted.update(structure.group_task_ids(group_id))
        if not wanted:
            return {}
        key = (held.dag_run_id, held.task_id)
        if key not in self.counts:
            rows = self.connection.execute(
                _COUNTS, {"dag_run_id": held.dag_run_id, "task_ids": sorted(wanted)}
            ).all()
            self.counts[key] = {row[0]: row[1] for row in rows}
        return self.counts[key]


def _build(
    connection: Connection,
    versions: VersionCache,
    rows: Sequence[Any],
    claim_ids: Mapping[int, str],
) -> list[Claim]:
    run_ids = sorted({row.dag_run_id for row in rows})
    runs = {row.id: dict(row._mapping) for row in connection.execute(_RUNS, {"ids": run_ids}).all()}
    builder = _Builder(connection, versions)
    claims = []
    for row in rows:
        held = held_from(row)
        version = versions.get(connection, held.version_id)
        task = version.structure.tasks.get(held.task_id)
        run = runs[held.dag_run_id]
        claims.append(
            Claim(
                task_instance_id=held.id,
                epoch=held.epoch,
                claim_id=claim_ids[held.id],
                dag_id=run["dag_id"],
                run_id=run["run_id"],
                task_id=held.task_id,
                map_index=held.map_index,
                try_number=held.try_number,
                tries_max=held.tries_max,
                dag_run_id=held.dag_run_id,
                relative_fileloc=version.dag.relative_fileloc,
                fileloc=version.dag.fileloc,
                dag_version_hash=version.hash,
                operator_name=row.operator_name,
                execution_timeout_s=None if task is None else task.execution_timeout_s,
                next_method=row.next_method,
                next_kwargs=row.next_kwargs,
                started_at=held.first_started_at,
                first_reschedule_at=row.first_reschedule_at,
                reschedule_count=row.reschedule_count,
                mapped_lengths=builder.mapped_lengths(held, version),
                upstream_counts=builder.upstream_counts(held, version),
                dag_run=run,
                priority_weight=row.priority_weight,
                pool=row.pool,
                pool_slots=row.pool_slots,
                queue=row.queue,
                queued_at=row.queued_at,
            )
        )
    return claims
