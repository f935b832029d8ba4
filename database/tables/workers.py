"""Leases of runners, and signs of life of the other processes."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table, Text

from .base import JsonText, UtcDateTime, metadata, partial_index

#: One row per incarnation of a runner. An attempt's claim holds while its worker's lease does.
worker = Table(
    "worker",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("host", String(250), nullable=False),
    Column("boot_id", String(64), nullable=False, server_default=""),
    Column("pid", Integer, nullable=False),
    Column("pid_started_at", Float, nullable=False),
    Column("executor", String(250), nullable=False),
    Column("queues", JsonText),
    Column("slots", Integer, nullable=False, server_default="0"),
    Column("state", String(20), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("renewed_at", UtcDateTime, nullable=False),
    Column("lease_until_at", UtcDateTime, nullable=False),
    Column("stopped_at", UtcDateTime),
    Column("reason", Text, nullable=False, server_default=""),
    #: Where this worker serves the logs that it wrote; empty: on the disk that all share.
    Column("log_url", String(500), nullable=False, server_default=""),
    partial_index(
        "ix_worker_alive",
        "lease_until_at",
        where="state = 'alive'",
    ),
)

#: Signs of life for the health page; nothing is decided by them.
process = Table(
    "process",
    metadata,
    Column("id", String(350), primary_key=True),
    Column("kind", String(50), nullable=False),
    Column("host", String(250), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("beat_at", UtcDateTime, nullable=False),
)
