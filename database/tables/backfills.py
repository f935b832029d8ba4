"""Backfills and the logical dates they cover."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
    false,
)

from .base import JsonText, RowId, UtcDateTime, metadata, partial_index

backfill = Table(
    "backfill",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("dag_id", ForeignKey("dag.dag_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("from_at", UtcDateTime, nullable=False),
    Column("to_at", UtcDateTime, nullable=False),
    Column("max_active_runs", Integer, nullable=False),
    Column("reprocess_behavior", String(20), nullable=False),
    Column("is_reverse", Boolean, nullable=False, server_default=false()),
    Column("is_paused", Boolean, nullable=False, server_default=false()),
    Column("conf", JsonText),
    Column("created_at", UtcDateTime, nullable=False),
    Column("completed_at", UtcDateTime),
    Column("created_by", String(250), nullable=False, server_default=""),
    partial_index(
        "ix_backfill_active",
        "id",
        where="completed_at IS NULL",
    ),
)

backfill_run = Table(
    "backfill_run",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("backfill_id", ForeignKey("backfill.id", ondelete="CASCADE"), nullable=False),
    Column("dag_run_id", RowId, ForeignKey("dag_run.id", ondelete="SET NULL"), index=True),
    Column("logical_date", UtcDateTime, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("action", String(20), nullable=False),
    UniqueConstraint("backfill_id", "logical_date"),
)
