"""Plain values of rows, as lists, pages and commands read them.

Import them from ``values``. Instants are aware UTC; ``map_index`` is -1 for a task that is not
mapped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..sdk.states import TaskInstanceState


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file of the DAGs folder as it was last parsed."""

    relative_path: str
    path: str
    content_hash: str
    parsed_at: datetime
    duration_s: float
    error: str | None
    error_at: datetime | None
    no_dag_reason: str | None
    warnings: Sequence[str]
    inputs: Mapping[str, Any]
    is_present: bool
    dag_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DagRow:
    """One DAG, as lists and pages show it."""

    dag_id: str
    dag_display_name: str
    description: str
    relative_fileloc: str
    fileloc: str
    is_paused: bool
    is_active: bool
    version_id: int
    version_number: int
    owners: str
    tags: Sequence[str]
    timetable_summary: str
    timetable_description: str
    is_custom_timetable: bool
    max_active_runs: int
    max_active_tasks: int
    dialect: str
    is_catchup: bool
    last_parsed_at: datetime | None
    next_logical_date: datetime | None
    next_data_interval_start: datetime | None
    next_data_interval_end: datetime | None
    next_run_after: datetime | None
    next_run_id: str | None
    has_import_errors: bool = False
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BriefRun:
    """What a list shows of one run."""

    dag_id: str
    run_id: str
    state: str
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One dag run."""

    id: int
    dag_id: str
    run_id: str
    run_type: str
    state: str
    state_reason: str
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    run_after: datetime
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    conf: Mapping[str, Any] | None
    triggered_by: str
    triggering_user: str | None
    note: str | None
    external_trigger: bool
    version_id: int
    clear_number: int
    backfill_id: int | None
    created_at: datetime
    last_decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class TaskInstanceRow:
    """One task instance, with the ids of its dag run."""

    id: int
    dag_run_id: int
    dag_id: str
    run_id: str
    logical_date: datetime | None
    task_id: str
    map_index: int
    rendered_map_index: str | None
    state: TaskInstanceState
    state_reason: str
    try_number: int
    tries_max: int
    epoch: int
    claim_id: str | None
    due_at: datetime | None
    scheduled_at: datetime | None
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    operator_name: str
    pool: str
    pool_slots: int
    queue: str
    executor: str
    priority_weight: int
    version_id: int
    worker_id: str | None
    hostname: str
    pid: int | None
    queue_count: int
    note: str | None

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end, None while either is unknown."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One hand-out of one try, kept for ever with its task instance.

    ``state``: claimed, running, then success, skipped, failed, up_for_retry, up_for_reschedule,
    deferred, returned (user code never began), absent (its file was not there), lost (its worker
    died) or fenced (came too late).
    """

    task_instance_id: int
    epoch: int
    claim_id: str
    try_number: int
    state: str
    worker_id: str | None
    claimed_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    exit_code: int | None
    signal: int | None
    reason: str
    hostname: str
    pid: int | None
    log_path: str | None
    code_hash: str | None
    version_id: int


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One incarnation of a runner. ``state``: alive, stopped or lost."""

    id: str
    host: str
    boot_id: str
    pid: int
    pid_started_at: float
    executor: str
    queues: Sequence[str]
    slots: int
    state: str
    started_at: datetime
    renewed_at: datetime
    lease_until_at: datetime
    stopped_at: datetime | None
    reason: str
    log_url: str = ""


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A pool and what its slots are taken by. ``slots`` -1: unlimited."""

    name: str
    slots: int
    description: str
    include_deferred: bool
    running: int = 0
    queued: int = 0
    scheduled: int = 0
    deferred: int = 0


@dataclass(frozen=True, slots=True)
class XComEntry:
    """One stored XCom (see ``sdk.task_runtime.XComRow``). ``value`` is encoded."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    key: str
    value: str
    length: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class EventRow:
    """One entry of the event log: an act of a person, or a batch of state changes."""

    id: int
    at: datetime
    kind: str
    actor: str
    dag_id: str | None
    run_id: str | None
    task_id: str | None
    map_index: int | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VariableRow:
    """One variable, decrypted."""

    key: str
    value: str
    description: str


@dataclass(frozen=True, slots=True)
class UserRow:
    """One user. The password's hash never leaves the database."""

    id: int
    username: str
    #: By name, in order.
    roles: tuple[str, ...]
    email: str
    first_name: str
    last_name: str
    is_active: bool
    created_at: datetime
    #: Changes with the password: tokens that were made before end with it.
    password_fingerprint: str = ""
    changed_at: datetime | None = None
    last_login_at: datetime | None = None
    login_count: int = 0
    failed_login_count: int = 0
    #: False: signs in elsewhere only.
    has_password: bool = True

    @property
    def role(self) -> str:
        """The roles as one text, for people to read."""
        return ", ".join(self.roles)


@dataclass(frozen=True, slots=True)
class BackfillRow:
    """One backfill and how far it is."""

    id: int
    dag_id: str
    from_at: datetime
    to_at: datetime
    max_active_runs: int
    reprocess_behavior: str
    is_reverse: bool
    is_paused: bool
    conf: Mapping[str, Any] | None
    created_at: datetime
    completed_at: datetime | None
    created_by: str
    #: Run state → number of runs; "skipped" counts logical dates left alone.
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A callback or message to be delivered at least once."""

    id: int
    kind: str
    dag_id: str
    payload: Mapping[str, Any]
    tries: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One DAG version, without its content. ``hash``: of the serialized DAG."""

    id: int
    number: int
    hash: str
    source_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process that has given a sign of life: scheduler, dag_processor, triggerer."""

    id: str
    kind: str
    host: str
    pid: int
    started_at: datetime
    beat_at: datetime
