"""Dag runs, task instances, attempts, XComs, rendered fields, triggers.

The partial indexes hold unfinished rows only, so that history costs the loop nothing. SQLite
uses one only where the query repeats its condition word by word: ``conditions.py`` has them.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from ...sdk.human_input import QUESTION_KEY
from .base import JsonText, RowId, UtcDateTime, metadata, partial_index

UNFINISHED_RUN = "state IN ('queued', 'running')"
SCHEDULED = "state = 'scheduled'"
OCCUPYING = "state IN ('queued', 'running', 'restarting', 'deferred')"
LIVE_ATTEMPT = "state IN ('claimed', 'running')"
QUESTION = f"key = '{QUESTION_KEY}'"

dag_run = Table(
    "dag_run",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("dag_id", ForeignKey("dag.dag_id", ondelete="CASCADE"), nullable=False),
    Column("run_id", String(250), nullable=False),
    Column("run_type", String(30), nullable=False),
    Column("state", String(20), nullable=False),
    Column("state_reason", String(200), nullable=False, server_default=""),
    Column("logical_date", UtcDateTime),
    Column("data_interval_start", UtcDateTime),
    Column("data_interval_end", UtcDateTime),
    Column("run_after", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("queued_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("conf", JsonText),
    Column("triggered_by", String(30), nullable=False, server_default="timetable"),
    Column("triggering_user", String(250)),
    Column("note", Text),
    Column("external_trigger", Boolean, nullable=False, server_default=false()),
    #: The structure of the run is pinned to this version until a clear moves it.
    Column("version_id", RowId, ForeignKey("dag_version.id"), nullable=False),
    Column("clear_number", Integer, nullable=False, server_default="0"),
    Column("backfill_id", RowId, index=True),
    Column("backfill_ordinal", Integer),
    Column("last_decided_at", UtcDateTime),
    #: When time alone changes something in this run: retry, reschedule, run timeout.
    Column("wake_at", UtcDateTime),
    UniqueConstraint("dag_id", "run_id"),
    UniqueConstraint("dag_id", "logical_date"),
    partial_index(
        "ix_dag_run_unfinished",
        "dag_id",
        "state",
        where=UNFINISHED_RUN,
    ),
    partial_index(
        "ix_dag_run_wake_at",
        "wake_at",
        where="wake_at IS NOT NULL",
    ),
    Index("ix_dag_run_dag_id_run_after", "dag_id", "run_after"),
    Index("ix_dag_run_run_after", "run_after"),
    Index("ix_dag_run_version_id", "version_id"),
    # A rowid that a deleted run had must not come back: events and caches name it.
    sqlite_autoincrement=True,
)

task_instance = Table(
    "task_instance",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("dag_run_id", RowId, ForeignKey("dag_run.id", ondelete="CASCADE"), nullable=False),
    Column("task_id", String(250), nullable=False),
    Column("map_index", Integer, nullable=False, server_default="-1"),
    Column("state", String(20), nullable=False, server_default="none"),
    Column("state_reason", Text, nullable=False, server_default=""),
    #: Grows with every hand-out and with every act of a person: the fencing token's number.
    Column("epoch", Integer, nullable=False, server_default="0"),
    #: Drawn by the claimer before it asks: the fencing token's other half.
    Column("claim_id", String(36)),
    Column("try_number", Integer, nullable=False, server_default="0"),
    Column("tries_max", Integer, nullable=False, server_default="0"),
    Column("due_at", UtcDateTime),
    Column("scheduled_at", UtcDateTime),
    Column("queued_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("operator_name", String(500), nullable=False, server_default=""),
    Column("pool", String(250), nullable=False, server_default="default_pool"),
    Column("pool_slots", Integer, nullable=False, server_default="1"),
    Column("queue", String(250), nullable=False, server_default="default"),
    Column("executor", String(250), nullable=False, server_default="LocalExecutor"),
    Column("priority_weight", Integer, nullable=False, server_default="1"),
    Column("version_id", RowId, nullable=False),
    Column("worker_id", String(36)),
    Column("hostname", String(250), nullable=False, server_default=""),
    Column("pid", Integer),
    Column("rendered_map_index", String(250)),
    #: Of this try: when it first started, and how often it was rescheduled since.
    Column("first_started_at", UtcDateTime),
    Column("reschedule_count", Integer, nullable=False, server_default="0"),
    #: Start of the first attempt that was rescheduled, kept over retries until a clear: what a
    #: sensor's timeout counts from (semantics 11, row 14).
    Column("first_reschedule_at", UtcDateTime),
    Column("next_method", String(250)),
    Column("next_kwargs", Text),
    Column("trigger_id", RowId),
    #: How often a hand-out of this try was taken back because nobody claimed it.
    Column("queue_count", Integer, nullable=False, server_default="0"),
    Column("note", Text),
    UniqueConstraint("dag_run_id", "task_id", "map_index"),
    partial_index(
        "ix_task_instance_scheduled",
        "priority_weight",
        "dag_run_id",
        where=SCHEDULED,
    ),
    partial_index(
        "ix_task_instance_occupying",
        "state",
        "dag_run_id",
        where=OCCUPYING,
    ),
    sqlite_autoincrement=True,
)

#: One row per hand-out that was claimed. Never deleted before its task instance.
attempt = Table(
    "attempt",
    metadata,
    Column("id", RowId, primary_key=True),
    Column(
        "task_instance_id",
        RowId,
        ForeignKey("task_instance.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("epoch", Integer, nullable=False),
    Column("claim_id", String(36), nullable=False),
    Column("try_number", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("worker_id", String(36)),
    Column("version_id", RowId, nullable=False),
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("exit_code", Integer),
    Column("signal", Integer),
    Column("reason", Text, nullable=False, server_default=""),
    Column("hostname", String(250), nullable=False, server_default=""),
    Column("pid", Integer),
    Column("log_path", Text),
    Column("code_hash", String(64)),
    #: Seam: the attempt whose result was taken instead of running.
    Column("cached_from_id", RowId),
    UniqueConstraint("task_instance_id", "epoch"),
    partial_index(
        "ix_attempt_live",
        "worker_id",
        where=LIVE_ATTEMPT,
    ),
)

xcom = Table(
    "xcom",
    metadata,
    Column("dag_run_id", RowId, ForeignKey("dag_run.id", ondelete="CASCADE"), primary_key=True),
    Column("task_id", String(250), primary_key=True),
    Column("map_index", Integer, primary_key=True),
    Column("key", String(512), primary_key=True),
    Column("value", Text, nullable=False),
    #: Number of elements where the value has one: what mapping counts.
    Column("length", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    partial_index(
        "ix_xcom_question",
        "dag_run_id",
        where=QUESTION,
    ),
)

rendered_fields = Table(
    "rendered_fields",
    metadata,
    Column(
        "task_instance_id",
        RowId,
        ForeignKey("task_instance.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("try_number", Integer, nullable=False),
    Column("fields", JsonText, nullable=False),
)

#: What a deferred task instance waits for. The triggerer is a later part of the house.
trigger = Table(
    "trigger",
    metadata,
    Column("id", RowId, primary_key=True),
    Column(
        "task_instance_id",
        RowId,
        ForeignKey("task_instance.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("class_path", String(1000), nullable=False),
    Column("kwargs", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("timeout_at", UtcDateTime),
    Column("worker_id", String(36)),
)
