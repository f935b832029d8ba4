"""Reads for pages: many runs at once, in few statements, each with a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from .operations import Operations
from .pages import pages
from .tables import attempt, dag_run, task_instance


@dataclass(frozen=True, slots=True)
class Lap:
    """One hand-out of a task instance, with the instants that a Gantt draws."""

    task_id: str
    map_index: int
    try_number: int
    state: str
    queued_at: datetime | None
    claimed_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class InstanceTimes:
    """One task instance, with what a Gantt draws of it: charts read thousands."""

    task_id: str
    map_index: int
    state: str
    try_number: int
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """How one task did over some runs. Durations of successful task instances, seconds."""

    success: int
    failed: int
    durations_s: Sequence[float]
    last_failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class TaskSpan:
    """One task in one run, all its mapped instances together; ``tries`` of the one with most.

    ``state`` is failed where any instance is, else that of any one of them.
    """

    state: str
    ready_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    tries: int
    instances: int


class HistoryOperations(Operations):
    """``store.history``: what grids, charts and calendars are drawn from. Nothing is written."""

    def cells(self, dag_run_ids: Sequence[int]) -> dict[int, dict[str, dict[str, int]]]:
        """Return run → task → state → number of its task instances."""
        found: dict[int, dict[str, dict[str, int]]] = {id_: {} for id_ in dag_run_ids}
        with self._database.read() as connection:
            for some in pages(dag_run_ids):
                rows = connection.execute(
                    select(
                        task_instance.c.dag_run_id,
                        task_instance.c.task_id,
                        task_instance.c.state,
                        func.count(),
                    )
                    .where(task_instance.c.dag_run_id.in_(some))
                    .group_by(
                        task_instance.c.dag_run_id, task_instance.c.task_id, task_instance.c.state
                    )
                )
                for dag_run_id, task_id, state, count in rows:
                    found[dag_run_id].setdefault(task_id, {})[state] = count
        return found

    def laps(self, dag_run_id: int, limit: int = 5000) -> list[Lap]:
        """Return the attempts of one run in the order of their claims."""
        statement = (
            select(
                task_instance.c.task_id,
                task_instance.c.map_index,
                attempt.c.try_number,
                attempt.c.state,
                task_instance.c.queued_at,
                attempt.c.claimed_at,
                attempt.c.started_at,
                attempt.c.ended_at,
            )
            .join(task_instance, task_instance.c.id == attempt.c.task_instance_id)
            .where(task_instance.c.dag_run_id == dag_run_id)
            .order_by(attempt.c.claimed_at, attempt.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [Lap(*row) for row in connection.execute(statement).all()]

    def instance_times(self, dag_run_id: int, limit: int) -> list[InstanceTimes]:
        """Return the task instances of one run in the order in which they were made."""
        statement = (
            select(
                task_instance.c.task_id,
                task_instance.c.map_index,
                task_instance.c.state,
                task_instance.c.try_number,
                task_instance.c.queued_at,
                task_instance.c.started_at,
                task_instance.c.ended_at,
            )
            .where(task_instance.c.dag_run_id == dag_run_id)
            .order_by(task_instance.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [InstanceTimes(*row) for row in connection.execute(statement).all()]

    def task_spans(self, dag_run_ids: Sequence[int], task_id: str) -> dict[int, TaskSpan]:
        """Return run → when one task of it waited and ran; runs without it are left out."""
        found: dict[int, TaskSpan] = {}
        is_failed = case((task_instance.c.state == "failed", 1), else_=0)
        is_unended = case((task_instance.c.ended_at.is_(None), 1), else_=0)
        columns = (
            task_instance.c.dag_run_id,
            func.max(is_failed),
            func.min(task_instance.c.state),
            func.min(task_instance.c.scheduled_at, type_=task_instance.c.scheduled_at.type),
            func.min(task_instance.c.started_at, type_=task_instance.c.started_at.type),
            func.max(task_instance.c.ended_at, type_=task_instance.c.ended_at.type),
            func.max(is_unended),
            func.max(task_instance.c.try_number),
            func.count(),
        )
        with self._database.read() as connection:
            for some in pages(dag_run_ids):
                rows = connection.execute(
                    select(*columns)
                    .where(task_instance.c.dag_run_id.in_(some), task_instance.c.task_id == task_id)
                    .group_by(task_instance.c.dag_run_id)
                )
                for run, failed, state, ready_at, started_at, ended_at, open_, tries, count in rows:
                    found[run] = TaskSpan(
                        "failed" if failed else state,
                        ready_at,
                        started_at,
                        None if open_ else ended_at,
                        tries,
                        count,
                    )
        return found

    def run_dates(
        self, dag_id: str, from_at: datetime, to_at: datetime, limit: int = 50_000
    ) -> list[tuple[datetime, str]]:
        """Return (logical date, or when it was due, and state) of the runs due in a time."""
        statement = (
            select(func.coalesce(dag_run.c.logical_date, dag_run.c.run_after), dag_run.c.state)
            .where(
                dag_run.c.dag_id == dag_id,
                dag_run.c.run_after >= from_at,
                dag_run.c.run_after < to_at,
            )
            .order_by(dag_run.c.run_after)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(at, state) for at, state in connection.execute(statement).all()]

    def run_states_since(self, at: datetime, dag_id: str | None = None) -> dict[str, int]:
        """Return state → number of runs that were due at or after *at*."""
        statement = select(dag_run.c.state, func.count()).where(dag_run.c.run_after >= at)
        if dag_id is not None:
            statement = statement.where(dag_run.c.dag_id == dag_id)
        with self._database.read() as connection:
            rows = connection.execute(statement.group_by(dag_run.c.state)).all()
        return dict(rows)

    def run_times_since(self, at: datetime, limit: int = 20_000) -> list[tuple[datetime, str]]:
        """Return (when it was due, state) of the runs that were due at or after *at*."""
        statement = (
            select(dag_run.c.run_after, dag_run.c.state)
            .where(dag_run.c.run_after >= at)
            .order_by(dag_run.c.run_after.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(due_at, state) for due_at, state in connection.execute(statement).all()]

    def instance_states_since(self, at: datetime) -> dict[str, int]:
        """Return state → number of task instances of the runs that were due at or after *at*."""
        statement = (
            select(task_instance.c.state, func.count())
            .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
            .where(dag_run.c.run_after >= at)
            .group_by(task_instance.c.state)
        )
        with self._database.read() as connection:
            return dict(connection.execute(statement).all())

    def task_records(self, dag_run_ids: Sequence[int]) -> dict[str, TaskRecord]:
        """Return task → how it did in these runs."""
        success: dict[str, list[float]] = {}
        failures: dict[str, list[datetime | None]] = {}
        with self._database.read() as connection:
            for some in pages(dag_run_ids):
                rows = connection.execute(
                    select(
                        task_instance.c.task_id,
                        task_instance.c.state,
                        task_instance.c.started_at,
                        task_instance.c.ended_at,
                    ).where(
                        task_instance.c.dag_run_id.in_(some),
                        task_instance.c.state.in_(("success", "failed")),
                    )
                )
                for task_id, state, started_at, ended_at in rows:
                    if state == "failed":
                        failures.setdefault(task_id, []).append(ended_at)
                    elif started_at is not None and ended_at is not None:
                        length_s = (ended_at - started_at).total_seconds()
                        success.setdefault(task_id, []).append(length_s)
                    else:
                        success.setdefault(task_id, []).append(0.0)
        return {
            task_id: TaskRecord(
                success=len(success.get(task_id, ())),
                failed=len(failures.get(task_id, ())),
                durations_s=success.get(task_id, []),
                last_failed_at=max(
                    (at for at in failures.get(task_id, ()) if at is not None), default=None
                ),
            )
            for task_id in {**success, **failures}
        }
