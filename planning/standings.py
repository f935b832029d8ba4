"""What a pass over one dag run found out of its tasks: the next one need not ask all again."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Standing(NamedTuple):
    """How the instances of one task stood after it was asked.

    ``moving`` counts those of the unfinished that are on their way, or wait for something that
    will come by itself; ``wake_at`` is when time alone may change an answer.
    """

    unfinished: int
    moving: int
    wake_at: datetime | None


_NOTHING_LEFT = Standing(0, 0, None)


class Standings:
    """The standings of all tasks of one run. Whoever decides a run again and again keeps one."""

    def __init__(self) -> None:
        """Begin knowing nothing: the first pass asks every task."""
        self.unfinished = 0
        self.moving = 0
        self._of_task: dict[str, Standing] = {}
        self._wake_at: dict[str, datetime] = {}

    def __bool__(self) -> bool:
        return bool(self._of_task)

    def put(self, task_id: str, standing: Standing) -> None:
        """Take down how one task stands now."""
        before = self._of_task.get(task_id, _NOTHING_LEFT)
        self._of_task[task_id] = standing
        self.unfinished += standing.unfinished - before.unfinished
        self.moving += standing.moving - before.moving
        if standing.wake_at is not None:
            self._wake_at[task_id] = standing.wake_at
        elif before.wake_at is not None:
            del self._wake_at[task_id]

    def wake_at(self) -> datetime | None:
        """Return the first instant at which time alone may change an answer."""
        return min(self._wake_at.values(), default=None)

    def due_task_ids(self, now: datetime) -> list[str]:
        """Return the tasks whose answer time may have changed by *now*."""
        return [task_id for task_id, at in self._wake_at.items() if at <= now]
