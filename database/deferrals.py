"""Writes what a deferred task instance waits for, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from ..sdk.serialized import SerializedTask
from ..sdk.states import TaskInstanceState
from .state_writes import Held, Move
from .tables import trigger

_INSERT = insert(trigger).returning(trigger.c.id)


def insert_trigger(
    connection: Connection,
    held: Held,
    task: SerializedTask,
    wanted: Mapping[str, Any],
    now: datetime,
) -> dict[str, Any]:
    """Write one trigger; return the columns of its task instance that say how it goes on.

    Args:
        wanted: class_path, kwargs, next_method, next_kwargs, timeout_s (None: no limit).
    """
    trigger_id = connection.execute(
        _INSERT,
        {
            "task_instance_id": held.id,
            "class_path": wanted.get("class_path", ""),
            "kwargs": wanted.get("kwargs", "{}"),
            "created_at": now,
            "timeout_at": _ends_at(task, wanted.get("timeout_s"), held.started_at or now, now),
        },
    ).scalar_one()
    return {
        "trigger_id": trigger_id,
        "next_method": wanted.get("next_method"),
        "next_kwargs": wanted.get("next_kwargs"),
    }


def defer_from_start(
    connection: Connection, held: Held, task: SerializedTask, now: datetime, reason: str
) -> Move:
    """``start_from_trigger``: a new try begins deferred, without a process (semantics 6.6)."""
    wanted = task.start_trigger or {}
    return Move(
        held,
        TaskInstanceState.DEFERRED,
        reason,
        {
            "try_number": held.try_number + 1,
            "started_at": now,
            "first_started_at": now,
            "ended_at": None,
            "due_at": None,
            "queue_count": 0,
            "reschedule_count": 0,
            "rendered_map_index": None,
            **insert_trigger(connection, held, task, wanted, now),
        },
    )


def _ends_at(
    task: SerializedTask, timeout_s: float | None, started_at: datetime, now: datetime
) -> datetime | None:
    """Return the nearer end: of the deferral itself, or of the task's time limit."""
    ends = []
    if timeout_s is not None:
        ends.append(_later(now, timeout_s))
    if task.execution_timeout_s is not None:
        ends.append(_later(started_at, task.execution_timeout_s))
    return min(ends, default=None)


def _later(instant: datetime, seconds: float) -> datetime:
    try:
        return instant + timedelta(seconds=seconds)
    except OverflowError:  # "for ever", as people write it
        return datetime.max.replace(tzinfo=instant.tzinfo)
