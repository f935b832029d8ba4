"""Metrics: the event log counted once, and gauges read from what is unfinished."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Executable, func, insert, select, update

from ..planning.measure import (
    COUNTER,
    InstanceTimes,
    LoggedChange,
    Measurement,
    RunTimes,
    measure,
    touched_ids,
)
from .locking import Locking
from .operations import Operations
from .pages import pages
from .tables import dag_run, event, metric_counter, metric_position, task_instance
from .upserts import insert_on_conflict

#: An entry may become visible a moment after one with a higher number: nothing younger is read.
SETTLED = timedelta(seconds=2)
AT_ONCE = 2000
_POSITION_ID = 1

#: What a counter is kept by: ids of tasks would make as many series as there are tasks.
KEPT_LABELS = ("dag_id", "state", "operator", "run_type")

#: How far the log goes, and how far it was counted; no row: nobody has begun to count.
_STANDING = select(
    select(func.max(event.c.id)).scalar_subquery().label("newest"), metric_position.c.event_id
)


class MetricOperations(Operations):
    """``store.metrics``: each event is counted by one scheduler, whatever their number."""

    def count_events(self, now: datetime) -> list[Measurement]:
        """Take the next stretch of the event log, and return what it amounts to.

        Another scheduler that took the same stretch first leaves nothing: [].
        """
        standing = self._remembered.rows(_STANDING)
        if standing and (standing[0].newest or 0) <= standing[0].event_id:
            return []
        with self._database.read() as connection:
            position = connection.execute(select(metric_position.c.event_id)).scalar()
            if position is None:
                entries: list[Any] = []
            else:
                entries = self._entries(connection, position, now)
            if position is not None and not entries:
                return []
            found = self._measure(connection, entries)
        newest = entries[-1].id if entries else None
        with self._database.write(Locking.NONE) as connection:
            if position is None:
                self._begin(connection)
                return []
            moved = connection.execute(
                update(metric_position)
                .where(metric_position.c.event_id == position)
                .values(event_id=newest)
            )
            if moved.rowcount == 0:
                return []
            _add(connection, _kept(found))
        return found

    def counters(self) -> list[tuple[str, Mapping[str, str], float]]:
        """Return all counters: name, labels, value."""
        with self._database.read() as connection:
            rows = connection.execute(select(metric_counter).order_by(metric_counter.c.name)).all()
        return [(row.name, json.loads(row.labels), row.value) for row in rows]

    def _entries(self, connection: Connection, position: int, now: datetime) -> list[Any]:
        rows = connection.execute(
            select(
                event.c.id, event.c.at, event.c.kind, event.c.dag_id, event.c.run_id, event.c.detail
            )
            .where(event.c.id > position)
            .order_by(event.c.id)
            .limit(AT_ONCE)
        ).all()
        settled: list[Any] = []
        for row in rows:
            if row.at > now - SETTLED:
                break
            settled.append(row)
        return settled

    def _begin(self, connection: Connection) -> None:
        last = connection.execute(select(func.max(event.c.id))).scalar() or 0
        known = connection.execute(select(metric_position.c.id)).first()
        if known is None:
            connection.execute(insert(metric_position).values(id=_POSITION_ID, event_id=last))

    def _measure(self, connection: Connection, rows: Sequence[Any]) -> list[Measurement]:
        entries = [
            LoggedChange(row.dag_id or "", row.run_id or "", row.detail)
            for row in rows
            if row.kind == "state"
        ]
        instance_ids, run_ids = touched_ids(entries)
        return measure(
            entries,
            _instance_times(connection, instance_ids),
            _run_times(connection, run_ids),
        )


def _instance_times(connection: Connection, ids: Iterable[int]) -> dict[int, InstanceTimes]:
    columns = (
        task_instance.c.operator_name,
        task_instance.c.queue,
        task_instance.c.scheduled_at,
        task_instance.c.queued_at,
        task_instance.c.started_at,
        task_instance.c.ended_at,
    )
    found: dict[int, InstanceTimes] = {}
    for some in pages(sorted(ids)):
        rows = connection.execute(
            select(task_instance.c.id, *columns).where(task_instance.c.id.in_(some))
        )
        found.update({row[0]: InstanceTimes(*row[1:]) for row in rows})
    return found


def _run_times(connection: Connection, ids: Iterable[int]) -> dict[int, RunTimes]:
    found: dict[int, RunTimes] = {}
    for some in pages(sorted(ids)):
        operators: dict[int, Counter[str]] = {}
        first: dict[int, datetime] = {}
        rows = connection.execute(
            select(
                task_instance.c.dag_run_id,
                task_instance.c.operator_name,
                func.count(),
                func.min(task_instance.c.started_at),
            )
            .where(task_instance.c.dag_run_id.in_(some))
            .group_by(task_instance.c.dag_run_id, task_instance.c.operator_name)
        )
        for run_id, operator, count, started_at in rows:
            operators.setdefault(run_id, Counter())[operator] += count
            if started_at is not None:
                first[run_id] = min(first.get(run_id, started_at), started_at)
        runs = connection.execute(
            select(
                dag_run.c.id,
                dag_run.c.run_type,
                dag_run.c.run_after,
                dag_run.c.started_at,
                dag_run.c.ended_at,
            ).where(dag_run.c.id.in_(some))
        )
        found.update(
            {
                row[0]: RunTimes(*row[1:], first.get(row[0]), operators.get(row[0], Counter()))
                for row in runs
            }
        )
    return found


def _kept(found: Iterable[Measurement]) -> Counter[tuple[str, str]]:
    """Return what is added to which counter; of a timer, its sum and its count."""
    added: Counter[tuple[str, str]] = Counter()
    for one in found:
        labels = {name: one.tags[name] for name in KEPT_LABELS if one.tags.get(name)}
        text = json.dumps(labels, sort_keys=True)
        if one.kind == COUNTER:
            added[one.name, text] += one.value  # type: ignore[assignment]
        else:
            added[f"{one.name}.sum", text] += one.value  # type: ignore[assignment]
            added[f"{one.name}.count", text] += 1
    return added


def _add(connection: Connection, added: Mapping[tuple[str, str], float]) -> None:
    if added:
        connection.execute(
            _upsert(connection.dialect.name),
            [
                {"name": name, "labels": labels, "value": value}
                for (name, labels), value in sorted(added.items())
            ],
        )


@lru_cache(maxsize=2)
def _upsert(dialect: str) -> Executable:
    made = insert_on_conflict(metric_counter, dialect)
    statement: Executable = made.on_conflict_do_update(
        index_elements=[metric_counter.c.name, metric_counter.c.labels],
        set_={"value": metric_counter.c.value + made.excluded.value},
    )
    return statement
