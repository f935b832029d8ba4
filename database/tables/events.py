"""The event log (audit and live pages), and the outbox of callbacks."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from .base import JsonText, RowId, UtcDateTime, metadata, partial_index

#: Append-only, bounded. Acts of people have an ``actor`` that begins with "user:".
event = Table(
    "event",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(60), nullable=False),
    Column("actor", String(250), nullable=False),
    Column("dag_id", String(250)),
    Column("run_id", String(250)),
    Column("task_id", String(250)),
    Column("map_index", Integer),
    Column("detail", JsonText, nullable=False),
    Index("ix_event_dag_id_id", "dag_id", "id"),
    # Live pages continue after the last id that they saw: it must never be given again.
    sqlite_autoincrement=True,
)

#: Callbacks and messages that belong to a committed change; delivered at least once.
outbox = Table(
    "outbox",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("kind", String(60), nullable=False),
    Column("dag_id", String(250), nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("state", String(20), nullable=False, server_default="waiting"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcDateTime, nullable=False),
    #: When it may be taken (again): a lease and a back-off in one.
    Column("due_at", UtcDateTime, nullable=False),
    Column("error", Text, nullable=False, server_default=""),
    partial_index(
        "ix_outbox_waiting",
        "due_at",
        where="state = 'waiting'",
    ),
)
