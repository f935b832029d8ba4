"""Assets, who names them, and their events. Runs triggered by assets are a later part."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from .base import JsonText, RowId, UtcDateTime, metadata

asset = Table(
    "asset",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String(1500), nullable=False),
    Column("uri", String(1500), nullable=False),
    Column("asset_group", String(1500), nullable=False, server_default="asset"),
    Column("extra", JsonText),
    UniqueConstraint("name", "uri"),
)

#: ``kind``: schedule, inlet or outlet; ``task_id`` is empty for a schedule.
asset_reference = Table(
    "asset_reference",
    metadata,
    Column("dag_id", ForeignKey("dag.dag_id", ondelete="CASCADE"), primary_key=True),
    Column("task_id", String(250), primary_key=True),
    Column("asset_id", RowId, ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(20), primary_key=True),
)

asset_event = Table(
    "asset_event",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("asset_id", RowId, ForeignKey("asset.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("extra", JsonText),
    Column("source_dag_id", String(250)),
    Column("source_run_id", String(250)),
    Column("source_task_id", String(250)),
    Column("source_map_index", Integer),
    Index("ix_asset_event_asset_id_id", "asset_id", "id"),
)
