"""What is queued and not claimed yet, though a living runner has room for it.

A wait because all runners are full, or because none listens, is nobody's fault and ends by
itself; only what could have been taken was overlooked: its hint was lost.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from ..sdk.executor_names import ExecutorNames
from .state_writes import HELD_COLUMNS
from .tables import dag_run, task_instance, worker
from .tables.runs import OCCUPYING

#: Rows that were queued before an instant and that nobody has claimed.
UNCLAIMED = (
    select(
        *HELD_COLUMNS,
        task_instance.c.queue_count,
        task_instance.c.executor,
        task_instance.c.queue,
        dag_run.c.dag_id,
        dag_run.c.run_id,
    )
    .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
    .where(
        text(f"task_instance.{OCCUPYING}"),
        task_instance.c.state == "queued",
        task_instance.c.queued_at <= bindparam("before", type_=task_instance.c.queued_at.type),
    )
    .order_by(task_instance.c.priority_weight.desc(), task_instance.c.queued_at, task_instance.c.id)
)

_OCCUPIED_BY = select(task_instance.c.worker_id).where(
    text(f"task_instance.{OCCUPYING}"), task_instance.c.state.in_(("running", "restarting"))
)

_ALIVE = select(worker.c.id, worker.c.executor, worker.c.queues, worker.c.slots).where(
    text("worker.state = 'alive'")
)


@dataclass(frozen=True, slots=True)
class Room:
    """A living runner with a free slot. ``queues`` empty: it serves all."""

    executor: str
    queues: Collection[str]


def find_room(connection: Connection) -> list[Room]:
    """Return the runners that could take more, counted from rows."""
    taken: dict[str, int] = {}
    for worker_id in connection.execute(_OCCUPIED_BY).scalars():
        taken[worker_id] = taken.get(worker_id, 0) + 1
    return [
        Room(row.executor, tuple(row.queues or ()))
        for row in connection.execute(_ALIVE).all()
        if row.slots > taken.get(row.id, 0)
    ]


def find_overlooked(
    connection: Connection, names: ExecutorNames, before: datetime
) -> Sequence[Any]:
    """Return rows of ``UNCLAIMED`` that a runner with room could take, most urgent first."""
    rows = connection.execute(UNCLAIMED, {"before": before}).all()
    if not rows:
        return []
    room = find_room(connection)
    return [
        row
        for row in rows
        if any(
            one.executor == names.resolve(row.executor)
            and (not one.queues or row.queue in one.queues)
            for one in room
        )
    ]
