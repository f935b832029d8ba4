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


@dataclass(slots=True)
class Room:
    """The free slots of a living runner. ``queues`` empty: it serves all."""

    executor: str
    queues: Collection[str]
    free: int

    def can_take(self, executor: str | None, queue: str) -> bool:
        """Whether one more task instance of this executor and queue fits."""
        return (
            self.free > 0
            and self.executor == executor
            and (not self.queues or queue in self.queues)
        )


def find_room(connection: Connection) -> list[Room]:
    """Return the runners that could take more, counted from rows."""
    taken: dict[str, int] = {}
    for worker_id in connection.execute(_OCCUPIED_BY).scalars():
        taken[worker_id] = taken.get(worker_id, 0) + 1
    return [
        Room(row.executor, tuple(row.queues or ()), row.slots - taken.get(row.id, 0))
        for row in connection.execute(_ALIVE).all()
        if row.slots > taken.get(row.id, 0)
    ]


def why_unclaimed(
    connection: Connection, names: ExecutorNames, executor_name: str, queue: str
) -> str:
    """Say why nobody has claimed what is queued for a queue, and an executor as rows name it."""
    executor = names.resolve(executor_name)
    if executor is None:
        return f"its executor {executor_name} is not among [core] executor"
    alive = [row for row in connection.execute(_ALIVE).all() if row.executor == executor]
    if not alive:
        return f"it is queued: no worker of {executor} is alive"
    listening = [row for row in alive if not row.queues or queue in row.queues]
    if not listening:
        return f"it is queued: no worker listens to queue {queue}"
    ids = {row.id for row in listening}
    taken = sum(1 for id_ in connection.execute(_OCCUPIED_BY).scalars() if id_ in ids)
    slots = sum(row.slots for row in listening)
    if taken >= slots:
        return f"it is queued: workers are full, all {slots} slots for queue {queue} are taken"
    return "it is queued: a worker with a free slot has been told"


def find_overlooked(
    connection: Connection, names: ExecutorNames, before: datetime
) -> Sequence[Any]:
    """Return rows of ``UNCLAIMED`` that runners have room for, most urgent first.

    No more than there are free slots: the rest waits for its turn, and nothing has been lost.
    """
    rows = connection.execute(UNCLAIMED, {"before": before}).all()
    if not rows:
        return []
    rooms = find_room(connection)
    found = []
    for row in rows:
        executor = names.resolve(row.executor)
        room = next((one for one in rooms if one.can_take(executor, row.queue)), None)
        if room is not None:
            room.free -= 1
            found.append(row)
    return found
