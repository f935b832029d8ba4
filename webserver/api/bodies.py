"""What may stand in a request's body. Unknown fields are refused by name.

Source: ``spec/rest-api.md`` section 6. Names that end in ``V1`` or ``V2`` belong to that version.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Instant = Annotated[datetime, Meta(tz=True)]
Text = Annotated[str, Meta(max_length=65536)]
Name = Annotated[str, Meta(min_length=1, max_length=250)]
RunId = Annotated[str, Meta(max_length=250)]
Note = Annotated[str, Meta(max_length=1000)]
#: -1: unlimited.
Slots = Annotated[int, Meta(ge=-1, le=2**31 - 1)]
Port = Annotated[int, Meta(ge=0, le=65535)]
RunStateToSet = Literal["queued", "success", "failed"]
TaskStateToSet = Literal["success", "failed", "skipped"]
PageOffset = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Body(Struct, forbid_unknown_fields=True, kw_only=True):
    """A JSON object of a request."""


class DagPatch(Body, kw_only=True):
    """Pause or un-pause."""

    is_paused: bool


class TriggerV1(Body, kw_only=True):
    """A new run."""

    dag_run_id: RunId | None = None
    logical_date: Instant | None = None
    execution_date: Instant | None = None
    data_interval_start: Instant | None = None
    data_interval_end: Instant | None = None
    conf: dict[str, Any] | None = None
    note: Note | None = None


class TriggerV2(Body, kw_only=True):
    """A new run. A missing logical date is the same as null."""

    dag_run_id: RunId | None = None
    logical_date: Instant | None = None
    run_after: Instant | None = None
    data_interval_start: Instant | None = None
    data_interval_end: Instant | None = None
    conf: dict[str, Any] | None = None
    note: Note | None = None
    partition_key: None = None


class RunStateV1(Body, kw_only=True):
    """The state that a run is to have."""

    state: RunStateToSet


class RunPatchV2(Body, kw_only=True):
    """The state and the note that a run is to have."""

    state: RunStateToSet | None = None
    note: Note | UnsetType | None = UNSET


class NoteBody(Body, kw_only=True):
    """A note for people."""

    note: Note


class ClearRunV1(Body, kw_only=True):
    """Clear a whole run; ``dry_run`` only tells what would be cleared."""

    dry_run: bool = True


class ClearRunV2(Body, kw_only=True):
    """Clear a whole run, or what failed of it."""

    dry_run: bool = True
    only_failed: bool = False
    only_new: Literal[False] = False
    run_on_latest_version: bool | None = None
    note: Note | None = None


class ClearTasksV1(Body, kw_only=True):
    """Which task instances of a DAG are cleared."""

    dry_run: bool = True
    task_ids: list[str] | None = None
    start_date: Instant | None = None
    end_date: Instant | None = None
    only_failed: bool = True
    only_running: bool = False
    include_subdags: bool = False
    include_parentdag: bool = False
    reset_dag_runs: bool = True
    dag_run_id: str | None = None
    include_upstream: bool = False
    include_downstream: bool = False
    include_future: bool = False
    include_past: bool = False


class ClearTasksV2(Body, kw_only=True):
    """Which task instances of a DAG are cleared. An entry may be [task id, map index]."""

    dry_run: bool = True
    start_date: Instant | None = None
    end_date: Instant | None = None
    only_failed: bool = True
    only_running: bool = False
    reset_dag_runs: bool = True
    task_ids: list[str | list[str | int]] | None = None
    dag_run_id: str | None = None
    include_upstream: bool = False
    include_downstream: bool = False
    include_future: bool = False
    include_past: bool = False
    run_on_latest_version: bool | None = None
    prevent_running_task: bool = False
    note: Note | None = None


class TasksStateV1(Body, kw_only=True):
    """The state that task instances of a DAG are to have."""

    dry_run: bool = True
    task_id: str
    execution_date: Instant | None = None
    dag_run_id: str | None = None
    include_upstream: bool = False
    include_downstream: bool = False
    include_future: bool = False
    include_past: bool = False
    new_state: TaskStateToSet


class TaskStateV1(Body, kw_only=True):
    """The state that one task instance is to have."""

    dry_run: bool = True
    new_state: TaskStateToSet


class TaskPatchV2(Body, kw_only=True):
    """The state and the note that a task instance is to have."""

    new_state: TaskStateToSet | None = None
    note: Note | UnsetType | None = UNSET
    include_upstream: bool = False
    include_downstream: bool = False
    include_future: bool = False
    include_past: bool = False


class RunsFormV1(Body, kw_only=True):
    """Filters of a list of runs over several DAGs."""

    order_by: str | None = None
    page_offset: PageOffset = 0
    page_limit: PageOffset = 100
    dag_ids: list[str] | None = None
    states: list[str] | None = None
    execution_date_gte: Instant | None = None
    execution_date_lte: Instant | None = None
    start_date_gte: Instant | None = None
    start_date_lte: Instant | None = None
    end_date_gte: Instant | None = None
    end_date_lte: Instant | None = None


class InstancesFormV1(Body, kw_only=True):
    """Filters of a list of task instances over several runs."""

    page_offset: PageOffset = 0
    page_limit: PageOffset = 100
    dag_ids: list[str] | None = None
    dag_run_ids: list[str] | None = None
    task_ids: list[str] | None = None
    execution_date_gte: Instant | None = None
    execution_date_lte: Instant | None = None
    start_date_gte: Instant | None = None
    start_date_lte: Instant | None = None
    end_date_gte: Instant | None = None
    end_date_lte: Instant | None = None
    duration_gte: float | None = None
    duration_lte: float | None = None
    state: list[str | None] | None = None
    pool: list[str] | None = None
    queue: list[str] | None = None
    executor: list[str] | None = None
    order_by: str | None = None


class _Bounds(Body, kw_only=True):
    """The ranges that both batch lists of version 2 know."""

    run_after_gte: Instant | None = None
    run_after_gt: Instant | None = None
    run_after_lte: Instant | None = None
    run_after_lt: Instant | None = None
    logical_date_gte: Instant | None = None
    logical_date_gt: Instant | None = None
    logical_date_lte: Instant | None = None
    logical_date_lt: Instant | None = None
    start_date_gte: Instant | None = None
    start_date_gt: Instant | None = None
    start_date_lte: Instant | None = None
    start_date_lt: Instant | None = None
    end_date_gte: Instant | None = None
    end_date_gt: Instant | None = None
    end_date_lte: Instant | None = None
    end_date_lt: Instant | None = None
    duration_gte: float | None = None
    duration_gt: float | None = None
    duration_lte: float | None = None
    duration_lt: float | None = None
    order_by: str | None = None
    page_offset: PageOffset = 0
    page_limit: PageOffset = 100
    dag_ids: list[str] | None = None


class RunsFormV2(_Bounds, kw_only=True):
    """Filters of a list of runs over several DAGs."""

    states: list[str | None] | None = None
    conf_contains: str | None = None


class InstancesFormV2(_Bounds, kw_only=True):
    """Filters of a list of task instances over several runs."""

    dag_run_ids: list[str] | None = None
    task_ids: list[str] | None = None
    state: list[str | None] | None = None
    pool: list[str] | None = None
    queue: list[str] | None = None
    executor: list[str] | None = None


class PoolV1(Body, kw_only=True):
    """A pool."""

    name: Name | UnsetType = UNSET
    slots: Slots | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    include_deferred: bool | UnsetType = UNSET


class PoolV2(Body, kw_only=True):
    """A new pool."""

    name: Name
    slots: Slots
    description: Text | None = None
    include_deferred: bool = False
    team_name: None = None


class PoolPatchV2(Body, kw_only=True):
    """What changes of a pool."""

    pool: Name | None = None
    slots: Slots | None = None
    description: Text | UnsetType | None = UNSET
    include_deferred: bool | None = None
    team_name: None = None


class VariableV1(Body, kw_only=True):
    """A variable. In a PATCH what is left out stays."""

    key: Name | UnsetType = UNSET
    value: Text | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET


class VariableV2(Body, kw_only=True):
    """A variable. A value that is no text is kept as its JSON."""

    key: Name
    value: Any
    description: Text | UnsetType | None = UNSET
    team_name: None = None


class ConnectionBody(Body, kw_only=True):
    """A connection. In a PATCH what is left out stays; so does a secret that is ``***``."""

    connection_id: Annotated[str, Meta(pattern=r"^[\w.-]+$", max_length=200)]
    conn_type: Annotated[str, Meta(min_length=1, max_length=500)]
    description: Text | UnsetType | None = UNSET
    host: Text | UnsetType | None = UNSET
    login: Text | UnsetType | None = UNSET
    schema: Text | UnsetType | None = UNSET
    port: Port | UnsetType | None = UNSET
    password: Text | UnsetType | None = UNSET
    extra: Text | UnsetType | None = UNSET
    team_name: None = None


class ConnectionPatchV1(Body, kw_only=True):
    """What changes of a connection."""

    connection_id: str | UnsetType = UNSET
    conn_type: str | UnsetType = UNSET
    description: Text | UnsetType | None = UNSET
    host: Text | UnsetType | None = UNSET
    login: Text | UnsetType | None = UNSET
    schema: Text | UnsetType | None = UNSET
    port: Port | UnsetType | None = UNSET
    password: Text | UnsetType | None = UNSET
    extra: Text | UnsetType | None = UNSET


class BackfillBody(Body, kw_only=True):
    """A new backfill. Both dates are logical dates, and included."""

    dag_id: str
    from_date: Instant
    to_date: Instant
    run_backwards: bool = False
    dag_run_conf: dict[str, Any] | None = None
    reprocess_behavior: Literal["none", "completed", "failed"] = "none"
    max_active_runs: Annotated[int, Meta(ge=1, le=100_000)] = 10
    run_on_latest_version: bool | None = None


class Credentials(Struct):
    """A user's name and password; other fields are ignored, as Airflow does."""

    username: str | None = None
    password: str | None = None
