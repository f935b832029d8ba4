"""SLAs that were missed: told once each."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, String, Table

from .base import UtcDateTime, metadata

#: Not called as Airflow's: by that table its own database is known.
sla_record = Table(
    "sla_record",
    metadata,
    Column("dag_id", ForeignKey("dag.dag_id", ondelete="CASCADE"), primary_key=True),
    Column("task_id", String(250), primary_key=True),
    Column("logical_date", UtcDateTime, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)
