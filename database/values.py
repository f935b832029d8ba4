"""Plain values that cross the store's border. No SQLAlchemy object ever does.

Instants are aware UTC. ``map_index`` is -1 for a task that is not mapped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..sdk.serialized import SerializedWatcher
from ..sdk.states import TaskInstanceState
from .rows import (
    AttemptRow,
    BackfillRow,
    BriefRun,
    DagRow,
    EventRow,
    FileRow,
    OutboxRow,
    PoolRow,
    ProcessRow,
    RunRow,
    TaskInstanceRow,
    UserRow,
    VariableRow,
    VersionRow,
    WorkerRow,
    XComEntry,
)

__all__ = [
    "BriefRun",
    "WorkerIdentity",
    "ClaimRequest",
    "Claim",
    "XComWrite",
    "AttemptResult",
    "Outcome",
    "Finished",
    "ParsedDag",
    "ParsedFile",
    "NewRun",
    "Started",
    "FencedAttempt",
    "Advanced",
    "DueDag",
    "BackfillPlanEntry",
    "FileRow",
    "DagRow",
    "RunRow",
    "TaskInstanceRow",
    "AttemptRow",
    "WorkerRow",
    "PoolRow",
    "XComEntry",
    "EventRow",
    "VariableRow",
    "UserRow",
    "BackfillRow",
    "OutboxRow",
    "VersionRow",
    "ProcessRow",
    "ClaimedTrigger",
    "ClaimedWatcher",
    "WatcherEnd",
    "WatcherEvent",
    "TriggerFired",
]


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """One incarnation of a runner. Pid reuse is told apart by start time and boot id."""

    id: str  # uuid, drawn at start
    host: str
    boot_id: str
    pid: int
    pid_started_at: float  # as the kernel says, clock ticks since boot
    executor: str  # canonical: "LocalExecutor", "CeleryExecutor", or an import path
    queues: tuple[str, ...] = ()
    slots: int = 0
    log_url: str = ""  # where it serves its logs; "": on the disk that all share


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """How many queued task instances a runner takes now, for itself."""

    worker_id: str
    executor: str
    limit: int
    queues: tuple[str, ...] | None = None  # None: any queue
    task_instance_ids: tuple[int, ...] | None = None  # Celery: exactly these
    hostname: str = ""  # shown with the attempt, and where its log is


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed try: all that a runner needs to run it. ``claim_id`` and ``epoch`` fence it."""

    task_instance_id: int
    epoch: int
    claim_id: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    tries_max: int
    dag_run_id: int
    relative_fileloc: str
    fileloc: str
    dag_version_hash: str
    operator_name: str
    execution_timeout_s: float | None
    #: Resumed from deferral; the task continues at this method.
    next_method: str | None
    next_kwargs: str | None
    #: First start of this try (kept over reschedules), None for a fresh try.
    started_at: datetime | None
    #: Starts of earlier reschedules of this try: the first one, and how many.
    first_reschedule_at: datetime | None
    reschedule_count: int
    #: Element counts of the mapped arguments of this task (or of its mapped group).
    mapped_lengths: tuple[int, ...]
    #: task id → number of instances, for every mapped upstream and every mapped task in its group.
    upstream_counts: Mapping[str, int]
    #: The dag run, as columns: state, run_type, logical_date, data_interval_start,
    #: data_interval_end, run_after, start_date, queued_at, conf, note, clear_number,
    #: triggering_user, external_trigger, created_at ...
    dag_run: Mapping[str, Any] = field(default_factory=dict)
    priority_weight: int = 1
    pool: str = "default_pool"
    pool_slots: int = 1
    queue: str = "default"
    queued_at: datetime | None = None

    @property
    def logical_date(self) -> datetime:
        """The run's, or where it has none the instant after which it may start."""
        at: datetime = self.dag_run["logical_date"] or self.dag_run["run_after"]
        return at


@dataclass(frozen=True, slots=True)
class XComWrite:
    """One XCom that comes with a result. ``value`` is encoded; ``length`` None: not countable."""

    key: str
    value: str
    length: int | None = None


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """How one attempt ended, as the runner saw it.

    ``outcome``: success, skipped, failed (retried if tries are left), failed_final (never
    retried), rescheduled (``due_at``), deferred (``trigger``), lost (the worker died;
    ``has_entered`` False gives the try back), returned (its code did not begin; nobody died),
    absent (its file, or its task in it, is not where it was to run).
    """

    task_instance_id: int
    epoch: int
    claim_id: str
    outcome: str
    reason: str = ""  # "exit code 1", "signal 9 (SIGKILL)", exception text: shown to people
    ended_at: datetime | None = None
    started_at: datetime | None = None
    exit_code: int | None = None
    signal: int | None = None
    has_entered: bool = True  # user code had begun
    xcoms: Sequence[XComWrite] = ()
    due_at: datetime | None = None
    trigger: Mapping[str, Any] | None = None
    #: Direct downstream (task id, map index or None) that a branch or short circuit skips.
    skip_task_ids: Sequence[str] = ()
    rendered_map_index: str | None = None
    rendered_fields: Mapping[str, Any] | None = None
    asset_events: Sequence[Mapping[str, Any]] = ()
    code_hash: str | None = None  # hash of the file that ran
    hostname: str = ""
    pid: int | None = None
    log_path: str | None = None
    #: False: the process died before it could run its failure or retry callbacks; they become
    #: rows of the outbox. A lost attempt never has.
    has_run_callbacks: bool = True
    #: The traceback of what the task raised, masked: mails about the failure show it.
    traceback: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the store made of one result. ``is_fenced``: it came too late and changed nothing."""

    task_instance_id: int
    epoch: int
    state: TaskInstanceState | None
    is_fenced: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """Answer to a batch of results: outcomes in order, and what was claimed in the same commit."""

    outcomes: Sequence[Outcome]
    claims: Sequence[Claim]
    #: Executors (other than the claimer's) with newly queued work, to be hinted.
    hints: Mapping[str, Sequence[tuple[int, int, str]]] = field(default_factory=dict)
    #: Rings whoever else is concerned. A lost ring costs one sweep at most.
    tell: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class ParsedDag:
    """One DAG of a parsed file: its serialized form (``sdk.serialized.encode``) and source."""

    dag_id: str
    serialized: bytes
    watchers: Sequence[SerializedWatcher] = ()


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What parsing one file gave. ``error`` None: it parsed well."""

    relative_path: str
    path: str
    content_hash: str
    parsed_at: datetime
    duration_s: float
    dags: Sequence[ParsedDag] = ()
    error: str | None = None
    #: Set where a good file gave no DAG: the reason to be listed.
    no_dag_reason: str | None = None
    source: str = ""
    warnings: Sequence[str] = ()
    #: What it read while importing: path → hash, and names of variables, connections, env.
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewRun:
    """A dag run to be created. ``run_id`` is unique within its DAG, so is the logical date."""

    dag_id: str
    run_id: str
    run_type: str
    run_after: datetime
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    conf: Mapping[str, Any] | None = None
    triggered_by: str = "timetable"
    triggering_user: str | None = None
    note: str | None = None
    external_trigger: bool = False
    backfill_id: int | None = None
    backfill_ordinal: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """User code of one claimed attempt has begun. Sent beside results, never on its own path."""

    task_instance_id: int
    epoch: int
    claim_id: str
    started_at: datetime
    pid: int | None = None
    hostname: str = ""
    log_path: str | None = None


@dataclass(frozen=True, slots=True)
class FencedAttempt:
    """An attempt whose task instance has moved on (cleared, marked, deleted): to be killed."""

    task_instance_id: int
    epoch: int
    claim_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Advanced:
    """What deciding changed: runs that ended, runs that started, and queued work to be hinted.

    ``hints``: executor name → (task instance id, epoch, queue) of newly queued task instances.
    """

    changed: bool
    ended_run_ids: Sequence[int] = ()
    started_run_ids: Sequence[int] = ()
    hints: Mapping[str, Sequence[tuple[int, int, str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DueDag:
    """A DAG whose next run is due, or has to be planned.

    ``last_interval``: of its newest scheduled run.
    """

    dag_id: str
    version_id: int
    is_paused: bool
    is_custom_timetable: bool
    relative_fileloc: str
    next_logical_date: datetime | None
    next_data_interval_start: datetime | None
    next_data_interval_end: datetime | None
    next_run_after: datetime | None
    next_run_id: str | None
    last_interval_start: datetime | None
    last_interval_end: datetime | None
    active_runs: int
    max_active_runs: int
    #: First planning after the DAG was created un-paused (implied catchup makes one run only).
    is_first_plan: bool = False


@dataclass(frozen=True, slots=True)
class BackfillPlanEntry:
    """What a backfill makes (or would make) of one logical date.

    ``action``: create, reprocess, exists (finished, left alone), in_flight (unfinished).
    """

    logical_date: datetime
    data_interval_start: datetime
    data_interval_end: datetime
    run_id: str
    action: str


@dataclass(frozen=True, slots=True)
class ClaimedTrigger:
    """One trigger that a triggerer is to run, and for whom. ``kwargs``: encoded as an XCom."""

    id: int
    class_path: str
    kwargs: str
    timeout_at: datetime | None
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    logical_date: datetime  # of the run, or the instant after which it may start
    problem: str = ""  # why it cannot be run: its arguments cannot be decrypted


@dataclass(frozen=True, slots=True)
class ClaimedWatcher:
    """One trigger that a triggerer is to run for assets. ``kwargs``: encoded as an XCom."""

    id: int
    name: str
    class_path: str
    kwargs: str
    problem: str = ""  # why it cannot be run: its arguments cannot be decrypted


@dataclass(frozen=True, slots=True)
class WatcherEvent:
    """What a watching trigger said. ``number``: from 1 on since the claim; ``payload``: encoded."""

    watcher_id: int
    number: int
    payload: str


@dataclass(frozen=True, slots=True)
class WatcherEnd:
    """A watching trigger has ended. ``error``: its traceback, "" where it ended by itself."""

    watcher_id: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class TriggerFired:
    """What a trigger said. ``payload`` is encoded; ``state``: what it ends its task as, or ""."""

    trigger_id: int
    payload: str
    state: str = ""
    #: key → (encoded value, number of elements)
    xcoms: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
