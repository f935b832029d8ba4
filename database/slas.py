"""SLAs of tasks: which were missed is written down, and told once (semantics section 10.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from ..planning.sla import missed_points
from ..sdk.serialized import SerializedDag, SerializedTask
from ..sdk.states import TaskInstanceState
from ..sdk.timetables.base import DataInterval
from ..sdk.timetables.registry import CustomTimetable, deserialize_timetable
from .event_writes import Event, write_events
from .operations import Operations
from .outbox_writes import write_outbox
from .tables import dag, dag_run, dag_version, sla_record, task_instance

_S = TaskInstanceState
_DONE = (_S.SUCCESS.value, _S.SKIPPED.value)
KIND = "sla_miss"


class SlaOperations(Operations):
    """``store.slas``: looked at every now and then, for DAGs whose tasks have an ``sla``."""

    def check(self, now: datetime) -> list[str]:
        """Write down what is late by now, and leave one message per DAG; return those DAGs."""
        late = []
        for dag_id, version_id in self._candidates():
            serialized = self._serialized(version_id)
            try:
                missed = self._missed(dag_id, serialized, now)
            except CustomTimetable:
                continue  # only a parser child may ask it: its SLAs are not kept
            if missed:
                self._write(dag_id, version_id, serialized, missed, now)
                late.append(dag_id)
        if late:
            self._ring("parser", "web")
        return late

    def _candidates(self) -> list[tuple[str, int]]:
        known = self._known_versions
        with self._database.read() as connection:
            rows = connection.execute(
                select(dag.c.dag_id, dag.c.version_id).where(
                    dag.c.is_active.is_(True), dag.c.is_paused.is_(False)
                )
            ).all()
            new = [row.version_id for row in rows if row.version_id not in known]
            for start in range(0, len(new), 100):
                part = select(dag_version.c.id, dag_version.c.serialized).where(
                    dag_version.c.id.in_(new[start : start + 100])
                )
                for id_, data in connection.execute(part):
                    known[id_] = b'"sla_s"' in bytes(data)
        current = {row.version_id for row in rows}
        for version_id in known.keys() - current:
            del known[version_id]
        return [(row.dag_id, row.version_id) for row in rows if known.get(row.version_id)]

    @property
    def _known_versions(self) -> dict[int, bool]:
        """Whether a version has SLAs; its text says so without being decoded."""
        found: dict[int, bool] | None = self.__dict__.get("_has_slas")
        if found is None:
            found = self.__dict__["_has_slas"] = {}
        return found

    def _serialized(self, version_id: int) -> SerializedDag:
        with self._database.read() as connection:
            return self._versions.get(connection, version_id).dag

    def _missed(
        self, dag_id: str, serialized: SerializedDag, now: datetime
    ) -> list[tuple[SerializedTask, datetime]]:
        timetable = deserialize_timetable(serialized.timetable)
        if not timetable.can_be_scheduled:
            return []
        tasks = {task.task_id: task for task in serialized.tasks if task.sla_s is not None}
        found = []
        with self._database.read() as connection:
            known = _known(connection, dag_id)
            for task_id, last in _last_done(connection, dag_id, list(tasks)):
                task = tasks[task_id]
                points = missed_points(
                    serialized, timetable, last, task.sla_s or 0.0, now, known.get(task_id, ())
                )
                found += [(task, point) for point in points]
        return found

    def _write(
        self,
        dag_id: str,
        version_id: int,
        serialized: SerializedDag,
        missed: Sequence[tuple[SerializedTask, datetime]],
        now: datetime,
    ) -> None:
        with self._database.write() as connection:
            known = _known(connection, dag_id)
            new = [(t, at) for t, at in missed if at not in known.get(t.task_id, ())]
            if not new:
                return  # told by another scheduler meanwhile
            rows = [
                {"dag_id": dag_id, "task_id": task.task_id, "logical_date": point, "at": now}
                for task, point in new
            ]
            connection.execute(insert(sla_record), rows)
            told = [[task.task_id, point.isoformat()] for task, point in new]
            detail = {"missed": told}
            write_events(connection, [Event("sla.missed", "scheduler", dag_id, detail=detail)], now)
            addresses = sorted({one for task, _ in new for one in task.email})
            if addresses or "sla_miss" in serialized.callbacks:
                payload = {
                    "run_id": "(sla)",  # of no run: the name of the log
                    "missed": told,
                    "blocking": _blocking(connection, dag_id, {at for _, at in new}),
                    "addresses": addresses,
                    "at": now.isoformat(),
                    "relative_fileloc": serialized.relative_fileloc,
                    "version_id": version_id,
                }
                write_outbox(connection, KIND, dag_id, payload, now)


def _known(connection: Connection, dag_id: str) -> dict[str, set[datetime]]:
    found: dict[str, set[datetime]] = {}
    statement = select(sla_record.c.task_id, sla_record.c.logical_date).where(
        sla_record.c.dag_id == dag_id
    )
    for task_id, logical_date in connection.execute(statement):
        found.setdefault(task_id, set()).add(logical_date)
    return found


def _last_done(
    connection: Connection, dag_id: str, task_ids: Sequence[str]
) -> list[tuple[str, DataInterval]]:
    """Return what the newest run covers in which each task succeeded or was skipped."""
    joined = task_instance.join(dag_run, task_instance.c.dag_run_id == dag_run.c.id)
    newest = connection.execute(
        select(task_instance.c.task_id, func.max(dag_run.c.logical_date))
        .select_from(joined)
        .where(
            dag_run.c.dag_id == dag_id,
            dag_run.c.logical_date.is_not(None),
            task_instance.c.task_id.in_(task_ids),
            task_instance.c.state.in_(_DONE),
        )
        .group_by(task_instance.c.task_id)
    ).all()
    found = []
    for task_id, logical_date in newest:
        run = connection.execute(
            select(dag_run.c.data_interval_start, dag_run.c.data_interval_end).where(
                dag_run.c.dag_id == dag_id, dag_run.c.logical_date == logical_date
            )
        ).one()
        start = run.data_interval_start or logical_date
        found.append((task_id, DataInterval(start, run.data_interval_end or start)))
    return found


def _blocking(connection: Connection, dag_id: str, dates: set[datetime]) -> list[list[Any]]:
    """Return the task instances of late runs that have not succeeded: id, date, state."""
    rows = connection.execute(
        select(task_instance.c.task_id, dag_run.c.logical_date, task_instance.c.state)
        .select_from(task_instance.join(dag_run, task_instance.c.dag_run_id == dag_run.c.id))
        .where(
            dag_run.c.dag_id == dag_id,
            dag_run.c.logical_date.in_(sorted(dates)),
            task_instance.c.state != _S.SUCCESS.value,
        )
        .order_by(dag_run.c.logical_date, task_instance.c.task_id)
    ).all()
    return [[row.task_id, row.logical_date.isoformat(), row.state] for row in rows]
