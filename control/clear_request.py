"""What is to be cleared, as a person says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ClearRequest:
    """Which task instances are cleared. Dates are logical dates, and included."""

    dag_id: str
    #: A regular expression that may match anywhere in a task id; None: all tasks.
    task_pattern: str | None = None
    #: Exactly this task, instead of a pattern; with a map index only that instance of it.
    task_id: str | None = None
    map_index: int | None = None
    run_ids: Sequence[str] | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None
    include_upstream: bool = False
    include_downstream: bool = False
    #: Also the same tasks in all earlier (later) runs, by logical date.
    include_past: bool = False
    include_future: bool = False
    only_failed: bool = False
    only_running: bool = False
    #: Whole tasks, and single (task id, map index), instead of a pattern.
    task_ids: Sequence[str] | None = None
    instances: Sequence[tuple[str, int]] | None = None
    #: Finished runs are queued again.
    reset_dag_runs: bool = True
    #: False: runs stay at the DAG version that they have.
    on_latest_version: bool | None = None
