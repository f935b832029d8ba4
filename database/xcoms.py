"""XComs: values that tasks leave for each other, encoded by ``sdk.xcom_serialization``."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from .errors import DagRunNotFound
from .event_writes import Event, write_events
from .locking import Locking
from .operations import Operations
from .tables import dag_run, task_instance, xcom
from .values import XComEntry
from .xcom_writes import write_xcoms

_ROWS = select(xcom, dag_run.c.dag_id, dag_run.c.run_id, dag_run.c.logical_date).join(
    dag_run, dag_run.c.id == xcom.c.dag_run_id
)

_HOLDS = select(task_instance.c.id).where(
    task_instance.c.id == bindparam("id"),
    task_instance.c.state == "running",
    task_instance.c.epoch == bindparam("epoch"),
)


class XComOperations(Operations):
    """``store.xcoms``: keyed by run, task, map index and key."""

    def set(
        self,
        *,
        dag_id: str,
        run_id: str,
        task_id: str,
        map_index: int,
        key: str,
        value: str,
        length: int | None,
        now: datetime,
        holder: tuple[int, int] | None = None,
        actor: str | None = None,
    ) -> bool:
        """Store one XCom, replacing an older one.

        Args:
            actor: the person who does it by hand, for the event log.
            holder: (task instance id, epoch) of the attempt that pushes: one that was fenced
                meanwhile writes nothing.

        Returns:
            False: the holder has been fenced.

        Raises:
            DagRunNotFound: there is no such run.
        """
        with self._database.write(Locking.ROWS) as connection:
            if holder is not None:
                held = connection.execute(_HOLDS, {"id": holder[0], "epoch": holder[1]}).first()
                if held is None:
                    return False
            dag_run_id = connection.execute(
                select(dag_run.c.id).where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)
            ).scalar_one_or_none()
            if dag_run_id is None:
                raise DagRunNotFound(dag_id, run_id)
            row = {
                "dag_run_id": dag_run_id,
                "task_id": task_id,
                "map_index": map_index,
                "key": key,
                "value": value,
                "length": length,
            }
            write_xcoms(connection, [row], now)
            if actor is not None:
                detail = {"key": key}
                event = Event("xcom.set", actor, dag_id, run_id, task_id, map_index, detail)
                write_events(connection, [event], now)
        return True

    def get_many(
        self,
        *,
        dag_id: str,
        run_id: str,
        task_ids: Sequence[str] | None = None,
        key: str | None = "return_value",
        map_indexes: Sequence[int] | None = None,
        include_prior_dates: bool = False,
    ) -> list[XComEntry]:
        """Return matching XComs: newest run first, then in order of *task_ids*, then map index."""
        statement = _ROWS.where(dag_run.c.dag_id == dag_id)
        if include_prior_dates:
            logical_date = (
                select(dag_run.c.logical_date)
                .where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)
                .scalar_subquery()
            )
            statement = statement.where(
                (dag_run.c.run_id == run_id) | (dag_run.c.logical_date <= logical_date)
            )
        else:
            statement = statement.where(dag_run.c.run_id == run_id)
        if task_ids is not None:
            statement = statement.where(xcom.c.task_id.in_(list(task_ids)))
        if key is not None:
            statement = statement.where(xcom.c.key == key)
        if map_indexes is not None:
            statement = statement.where(xcom.c.map_index.in_(list(map_indexes)))
        statement = statement.order_by(
            dag_run.c.logical_date.desc().nulls_first(),
            xcom.c.created_at.desc(),
            xcom.c.map_index,
        )
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        entries = [_entry(row) for row in rows]
        if task_ids is None:
            return entries
        runs: dict[str, int] = {}
        for entry in entries:
            runs.setdefault(entry.run_id, len(runs))
        position = {task_id: index for index, task_id in enumerate(task_ids)}
        entries.sort(key=lambda one: (runs[one.run_id], position[one.task_id], one.map_index))
        return entries

    def list(
        self, dag_id: str, run_id: str, task_id: str, map_index: int = -1
    ) -> builtins.list[XComEntry]:
        """Return what one task instance left, by key."""
        statement = _ROWS.where(
            dag_run.c.dag_id == dag_id,
            dag_run.c.run_id == run_id,
            xcom.c.task_id == task_id,
            xcom.c.map_index == map_index,
        ).order_by(xcom.c.key)
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(statement).all()]

    def delete(self, *, dag_id: str, run_id: str, task_id: str, map_index: int) -> int:
        """Remove what a task instance left; -1 removes whatever stands under the task's id.

        A claim does this by itself already; return how many there were.
        """
        run = (
            select(dag_run.c.id)
            .where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)
            .scalar_subquery()
        )
        conditions: builtins.list[Any] = [xcom.c.dag_run_id == run, xcom.c.task_id == task_id]
        if map_index >= 0:
            conditions.append(xcom.c.map_index == map_index)
        with self._database.read() as connection:
            if connection.execute(select(xcom.c.key).where(*conditions).limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            return connection.execute(delete(xcom).where(*conditions)).rowcount

    def delete_one(
        self,
        *,
        dag_id: str,
        run_id: str,
        task_id: str,
        map_index: int,
        key: str,
        now: datetime,
        actor: str,
    ) -> bool:
        """Remove one XCom by hand; False: there is none such."""
        run = (
            select(dag_run.c.id)
            .where(dag_run.c.dag_id == dag_id, dag_run.c.run_id == run_id)
            .scalar_subquery()
        )
        with self._database.write() as connection:
            gone = connection.execute(
                delete(xcom).where(
                    xcom.c.dag_run_id == run,
                    xcom.c.task_id == task_id,
                    xcom.c.map_index == map_index,
                    xcom.c.key == key,
                )
            )
            if gone.rowcount:
                detail = {"key": key}
                event = Event("xcom.deleted", actor, dag_id, run_id, task_id, map_index, detail)
                write_events(connection, [event], now)
        return bool(gone.rowcount)


def _entry(row: Any) -> XComEntry:
    return XComEntry(
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        key=row.key,
        value=row.value,
        length=row.length,
        created_at=row.created_at,
    )
