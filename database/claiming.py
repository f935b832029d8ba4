"""Claims queued task instances for one runner: from queued to running, before user code starts.

A claim carries all that the runner needs, so that it never reads the database for a start.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, text

from ..planning.expand import Results, argument_lengths
from ..planning.snapshot import InstanceSnapshot
from ..sdk.states import TaskInstanceState
from . import state_writes
from .queueing import Queued
from .settings import StoreSettings
from .snapshots import CLAIM_COLUMNS, load_lengths
from .state_writes import HELD_COLUMNS, Held, Move, held_from
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

_RUNS = select(*(dag_run.c[name] for name in CLAIM_COLUMNS)).where(
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


class Claimer:
    """Gives queued task instances to one runner inside one transaction, most urgent first.

    A runner whose lease is over gets nothing: all that it held was declared lost.
    """

    def __init__(
        self,
        connection: Connection,
        versions: VersionCache,
        settings: StoreSettings,
        request: ClaimRequest,
        now: datetime,
    ) -> None:
        self._connection = connection
        self._versions = versions
        self._settings = settings
        self._request = request
        self._now = now
        self._lease: Any = None
        #: What was queued and claimed in one write; None: what is queued has to be looked up.
        self._joined: list[_Queued] | None = None

    def prepare(self) -> None:
        """Ask for the lease, together with what is asked next."""
        if self._request.limit > 0 and self._lease is None:
            self._lease = self._connection.execute(_LEASE, {"worker_id": self._request.worker_id})

    def join(self, queued: Sequence[Queued]) -> list[Move]:
        """Return how to write what is being queued: what the runner takes is claimed at once.

        To be asked only where nothing else is queued.
        """
        if not self._is_alive():
            return [move for move, _, _ in queued]
        names = set(self._settings.executors.names_of(self._request.executor))
        wanted, queues = self._request.task_instance_ids, self._request.queues
        self._joined = []
        moves = []
        for move, candidate, row in queued:
            is_taken = (
                len(self._joined) < self._request.limit
                and candidate.executor in names
                and (wanted is None or move.held.id in wanted)
                and (queues is None or candidate.queue in queues)
            )
            if is_taken:
                one = _Queued(state_writes.after(move), row, self._now, str(uuid.uuid4()))
                self._joined.append(one)
                move = state_writes.joined(move, self._claim_move(one))
            moves.append(move)
        return moves

    def keep(self, won: Collection[int]) -> None:
        """Forget what another writer was first with."""
        if self._joined is not None:
            self._joined = [one for one in self._joined if one.held.id in won]

    def claim(self, told: Mapping[int, Mapping[str, Any]] | None = None) -> list[Claim]:
        """Give the runner what is queued for it, at most ``request.limit``.

        Args:
            told: what is known of dag runs already, by ``CLAIM_COLUMNS``.
        """
        taken = self._take() if self._joined is None else self._joined
        if not taken:
            return []
        self._connection.execute(
            _INSERT_ATTEMPT,
            [
                {
                    "task_instance_id": one.held.id,
                    "epoch": one.held.epoch,
                    "claim_id": one.claim_id,
                    "try_number": one.held.try_number,
                    "state": "claimed",
                    "worker_id": self._request.worker_id,
                    "version_id": one.held.version_id,
                    "claimed_at": self._now,
                    "hostname": self._request.hostname,
                }
                for one in taken
            ],
        )
        _delete_old_xcoms(self._connection, taken)
        return _build(self._connection, self._versions, taken, told or {})

    def _is_alive(self) -> bool:
        self.prepare()
        return self._lease is not None and self._lease.scalar() == "alive"

    def _take(self) -> list[_Queued]:
        """Claim what was queued before, or for somebody who has not come."""
        if not self._is_alive():
            return []
        found = [
            _Queued(held_from(row), row, row.queued_at, str(uuid.uuid4()))
            for row in _find_queued(self._connection, self._settings, self._request)
        ]
        moves = [self._claim_move(one) for one in found]
        won = {move.held.id for move in state_writes.write_moves(self._connection, moves)}
        return [one for one in found if one.held.id in won]

    def _claim_move(self, one: _Queued) -> Move:
        return state_writes.run(
            one.held,
            self._now,
            claim_id=one.claim_id,
            worker_id=self._request.worker_id,
            hostname=self._request.hostname,
        )


@dataclass(frozen=True, slots=True)
class _Queued:
    """One task instance that is being claimed. *row* has what ``_EXTRA`` names."""

    held: Held
    row: Any
    queued_at: datetime
    claim_id: str


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


def _delete_old_xcoms(connection: Connection, taken: Sequence[_Queued]) -> None:
    """Remove what earlier starts pushed; a first hand-out has none, a resumed one keeps them."""
    again = [one.held for one in taken if one.held.epoch > 1 and one.row.next_method is None]
    for statement, some in (
        (_DELETE_XCOMS, [held for held in again if held.map_index >= 0]),
        (_DELETE_ALL_XCOMS, [held for held in again if held.map_index < 0]),
    ):
        if some:
            connection.execute(
                statement,
                [
                    {
                        "held_dag_run_id": held.dag_run_id,
                        "held_task_id": held.task_id,
                        **({"held_map_index": held.map_index} if held.map_index >= 0 else {}),
                    }
                    for held in some
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
    taken: Sequence[_Queued],
    told: Mapping[int, Mapping[str, Any]],
) -> list[Claim]:
    run_ids = sorted({one.held.dag_run_id for one in taken} - told.keys())
    runs = dict(told)
    if run_ids:
        rows = connection.execute(_RUNS, {"ids": run_ids}).all()
        runs.update({row.id: dict(row._mapping) for row in rows})
    builder = _Builder(connection, versions)
    claims = []
    for one in taken:
        held, row = one.held, one.row
        version = versions.get(connection, held.version_id)
        task = version.structure.tasks.get(held.task_id)
        run = runs[held.dag_run_id]
        claims.append(
            Claim(
                task_instance_id=held.id,
                epoch=held.epoch,
                claim_id=one.claim_id,
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
                queued_at=one.queued_at,
            )
        )
    return claims
