"""DAG files, DAGs, their versions and sources."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)

from .base import JsonText, RowId, UtcDateTime, metadata, partial_index

dag_source = Table(
    "dag_source",
    metadata,
    Column("content_hash", String(64), primary_key=True),
    Column("source", Text, nullable=False),
)

#: One row per file that was ever parsed. ``error`` set: an import error, shown until mended;
#: the DAGs' last good versions stay in force.
dag_file = Table(
    "dag_file",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("relative_path", String(1000), nullable=False, unique=True),
    Column("path", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("parsed_at", UtcDateTime, nullable=False),
    Column("duration_s", Float, nullable=False, default=0.0),
    Column("error", Text),
    Column("error_at", UtcDateTime),
    Column("no_dag_reason", Text),
    Column("warnings", JsonText),
    Column("inputs", JsonText),
    Column("is_present", Boolean, nullable=False, server_default=true()),
)

dag = Table(
    "dag",
    metadata,
    Column("dag_id", String(250), primary_key=True),
    Column("file_id", RowId, ForeignKey("dag_file.id"), nullable=False, index=True),
    # No foreign key: dag and dag_version would name each other.
    Column("version_id", RowId, nullable=False),
    Column("version_number", Integer, nullable=False),
    Column("is_paused", Boolean, nullable=False),
    #: False: its file is gone, or parsed well without it. History stays.
    Column("is_active", Boolean, nullable=False, server_default=true()),
    Column("dag_display_name", String(500), nullable=False, server_default=""),
    Column("description", Text, nullable=False, server_default=""),
    Column("owners", String(2000), nullable=False, server_default=""),
    Column("dialect", String(1), nullable=False, server_default="3"),
    Column("is_catchup", Boolean, nullable=False, server_default=false()),
    Column("timetable_summary", String(1000), nullable=False, server_default=""),
    Column("timetable_description", String(1000), nullable=False, server_default=""),
    Column("is_custom_timetable", Boolean, nullable=False, server_default=false()),
    Column("max_active_runs", Integer, nullable=False, server_default="16"),
    Column("max_active_tasks", Integer, nullable=False, server_default="16"),
    Column("last_parsed_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    # The next run, planned ahead: what "due" is asked of.
    Column("next_logical_date", UtcDateTime),
    Column("next_data_interval_start", UtcDateTime),
    Column("next_data_interval_end", UtcDateTime),
    Column("next_run_after", UtcDateTime),
    Column("next_run_id", String(250)),
    #: The timetable changed, or it was un-paused: its next run is to be planned anew.
    Column("needs_planning", Boolean, nullable=False, server_default=true()),
    Column("is_first_plan", Boolean, nullable=False, server_default=true()),
    # The loop asks "which run is due?" at each tick, and sleeps until the first.
    Index(
        "ix_dag_next_run_after", "next_run_after", sqlite_where=text("next_run_after IS NOT NULL")
    ),
    partial_index(
        "ix_dag_needs_planning",
        "dag_id",
        where="needs_planning IS 1",
        where_on_postgresql="needs_planning IS true",
    ),
)

dag_tag = Table(
    "dag_tag",
    metadata,
    Column("dag_id", ForeignKey("dag.dag_id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(100), primary_key=True),
    Index("ix_dag_tag_name", "name"),
)

#: A new row only when the serialized DAG changed and the newest version has task instances.
dag_version = Table(
    "dag_version",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("dag_id", ForeignKey("dag.dag_id", ondelete="CASCADE"), nullable=False),
    Column("version_number", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("serialized", LargeBinary, nullable=False),
    Column("source_hash", String(64), nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("dag_id", "version_number"),
    # Caches know a version by its id: one that was replaced must not lend its id to another.
    sqlite_autoincrement=True,
)
