"""Deletes task instances of runs that have ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from .errors import NotAllowed
from .event_writes import Event, write_events
from .tables import dag_run, task_instance, xcom
from .values import TaskInstanceRow


def delete_instances(
    connection: Connection, rows: Sequence[TaskInstanceRow], now: datetime, actor: str
) -> None:
    """Delete task instances with their tries and XComs.

    Raises:
        NotAllowed: a run of theirs has not ended: it would wait for them, or make them anew.
    """
    for row in rows:
        state = connection.execute(
            select(dag_run.c.state).where(dag_run.c.id == row.dag_run_id)
        ).scalar_one_or_none()
        if state in ("queued", "running"):
            raise NotAllowed(
                f"Run {row.run_id!r} is {state}: its task instances can be deleted when it has "
                "ended."
            )
        connection.execute(
            delete(xcom).where(
                xcom.c.dag_run_id == row.dag_run_id,
                xcom.c.task_id == row.task_id,
                xcom.c.map_index == row.map_index,
            )
        )
        connection.execute(delete(task_instance).where(task_instance.c.id == row.id))
    events = [
        Event("task.deleted", actor, row.dag_id, row.run_id, row.task_id, row.map_index)
        for row in rows
    ]
    write_events(connection, events, now)
