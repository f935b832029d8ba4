"""What ran on the whole machine in some time: attempts over all DAGs, by when they were claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select, text

from .operations import Operations
from .tables import attempt, dag_run, task_instance
from .tables.runs import OCCUPYING, SCHEDULED

#: What was claimed this long before a time, and ended within it, belongs to it, too.
LONG_TASK = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt and where it belongs. ``ready_at``: since when its newest try could have run."""

    dag_id: str
    run_id: str
    run_state: str
    task_id: str
    pool: str
    pool_slots: int
    hostname: str
    state: str
    ready_at: datetime | None
    queued_at: datetime | None
    claimed_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A task instance that is scheduled now, and not queued yet."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    pool: str
    pool_slots: int
    scheduled_at: datetime | None


_WORK: Select[Any] = (
    select(
        attempt.c.id.label("attempt_id"),
        dag_run.c.dag_id,
        dag_run.c.run_id,
        dag_run.c.state,
        task_instance.c.task_id,
        task_instance.c.pool,
        task_instance.c.pool_slots,
        attempt.c.hostname,
        attempt.c.state,
        task_instance.c.scheduled_at,
        task_instance.c.queued_at,
        func.coalesce(attempt.c.started_at, attempt.c.claimed_at),
        attempt.c.ended_at,
    )
    .join(task_instance, task_instance.c.id == attempt.c.task_instance_id)
    .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
)


class TimelineOperations(Operations):
    """``store.timeline``: reads by time, over all DAGs. They cost what the time holds."""

    def work(
        self,
        from_at: datetime,
        to_at: datetime,
        *,
        dag_ids: Sequence[str] | None = None,
        limit: int = 20_000,
    ) -> list[Work]:
        """Return the attempts that ran in [from, to), newest claim first.

        Those of tasks that ran for more than ``LONG_TASK`` before *from_at* are found while they
        still run, and no more afterwards.

        Args:
            dag_ids: only these; None: all.
        """
        if dag_ids is not None and not dag_ids:
            return []
        with self._database.read() as connection:
            first = _first_claimed(connection, from_at - LONG_TASK)
            statement = _WORK.where(
                attempt.c.claimed_at < to_at,
                or_(attempt.c.ended_at.is_(None), attempt.c.ended_at >= from_at),
            )
            if dag_ids is not None:
                statement = statement.where(dag_run.c.dag_id.in_(list(dag_ids)))
            # Two statements, each by an index: one with "or" would walk through all history.
            recent = connection.execute(
                statement.where(attempt.c.id >= first).order_by(attempt.c.id.desc()).limit(limit)
            ).all()
            live = connection.execute(
                statement.where(
                    text(f"task_instance.{OCCUPYING}"), attempt.c.epoch == task_instance.c.epoch
                ).limit(limit)
            ).all()
        seen = {row.attempt_id for row in recent}
        rows = [*recent, *(row for row in live if row.attempt_id not in seen)]
        return [Work(*row[1:]) for row in rows[:limit]]

    def waiting(self, limit: int = 5000) -> list[WaitingRow]:
        """Return what is scheduled now and held back by a pool or another limit."""
        statement = (
            select(
                dag_run.c.dag_id,
                dag_run.c.run_id,
                task_instance.c.task_id,
                task_instance.c.map_index,
                task_instance.c.pool,
                task_instance.c.pool_slots,
                task_instance.c.scheduled_at,
            )
            .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
            .where(text(f"task_instance.{SCHEDULED}"))
            .order_by(task_instance.c.scheduled_at)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [WaitingRow(*row) for row in connection.execute(statement).all()]


def _first_claimed(connection: Connection, at: datetime) -> int:
    """Return the number of the first attempt that was claimed at or after *at*.

    Numbers grow with the instants of claims, which have no index of their own: look for it as
    for a word in a dictionary.
    """
    last = int(connection.execute(select(func.max(attempt.c.id))).scalar() or 0)
    low, high = 0, last + 1
    while low < high:
        middle = (low + high) // 2
        claimed_at = connection.execute(
            select(attempt.c.claimed_at)
            .where(attempt.c.id >= middle)
            .order_by(attempt.c.id)
            .limit(1)
        ).scalar()
        if claimed_at is None or claimed_at >= at:
            high = middle
        else:
            low = middle + 1
    return low
