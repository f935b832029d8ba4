"""Assets, who names them, their events, and which events wait for which DAG.

Each event is written with one row of ``asset_queue`` for each DAG that waits for its asset, in
the transaction that ends its producer; the transaction that creates a run moves these rows to
``asset_consumption``. So an event is consumed once by each consumer, also where several
producers commit out of the order of their event's numbers.
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
)

from .base import JsonText, RowId, UtcDateTime, metadata

asset = Table(
    "asset",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String(1500), nullable=False),
    Column("uri", String(1500), nullable=False),
    Column("asset_group", String(1500), nullable=False, server_default="asset"),
    Column("extra", JsonText),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("name", "uri"),
    Index("ix_asset_uri", "uri"),
)

#: What the DAGs in force name. ``kind``: schedule, inlet or outlet; ``task_id`` is empty for a
#: schedule. ``form`` says what identifies the asset: asset (name and URI), name, uri or alias.
asset_reference = Table(
    "asset_reference",
    metadata,
    Column("dag_id", ForeignKey("dag.dag_id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("task_id", String(250), primary_key=True),
    Column("form", String(20), primary_key=True),
    Column("name", String(1500), primary_key=True),
    Column("uri", String(1500), primary_key=True),
    Index("ix_asset_reference_name", "name"),
    Index("ix_asset_reference_uri", "uri"),
)

#: Assets that were added to an alias by a task.
asset_alias_link = Table(
    "asset_alias_link",
    metadata,
    Column("alias", String(1500), primary_key=True),
    Column("asset_id", RowId, ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_asset_alias_link_asset_id", "asset_id"),
)

#: ``aliases``: through which the event was made, as a list of names.
asset_event = Table(
    "asset_event",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("asset_id", RowId, ForeignKey("asset.id", ondelete="CASCADE"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("extra", JsonText),
    Column("aliases", JsonText),
    Column("source_dag_id", String(250)),
    Column("source_run_id", String(250)),
    Column("source_task_id", String(250)),
    Column("source_map_index", Integer),
    Index("ix_asset_event_asset_id_id", "asset_id", "id"),
    # The number of an event must never come back: consumers remember it.
    sqlite_autoincrement=True,
)

#: Triggers that watch assets: one row for equal triggers, whoever declares them.
#: ``event_count``: how many events were written since the claim; a repeated one is known by it.
asset_watcher = Table(
    "asset_watcher",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("class_path", String(1000), nullable=False, index=True),
    Column("kwargs", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("worker_id", String(36)),
    Column("event_count", Integer, nullable=False, server_default="0"),
    #: Not to be begun before; NULL: at once.
    Column("due_at", UtcDateTime),
    Column("failure_count", Integer, nullable=False, server_default="0"),
    Column("error", Text),
    # A triggerer may still speak of one that is gone: its number must not come back.
    sqlite_autoincrement=True,
)

#: Which DAG has which trigger watch which asset (by name and URI), and how it calls that.
asset_watcher_use = Table(
    "asset_watcher_use",
    metadata,
    Column(
        "watcher_id", RowId, ForeignKey("asset_watcher.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("dag_id", ForeignKey("dag.dag_id", ondelete="CASCADE"), primary_key=True),
    Column("asset_name", String(1500), primary_key=True),
    Column("asset_uri", String(1500), primary_key=True),
    Column("name", String(1500), nullable=False),
    Index("ix_asset_watcher_use_dag_id", "dag_id"),
    Index("ix_asset_watcher_use_asset_name", "asset_name"),
)

#: Events that no run of the DAG has consumed yet. ``is_counted`` False: the DAG was paused then;
#: the event goes along with the next run, but does not make one.
asset_queue = Table(
    "asset_queue",
    metadata,
    Column("dag_id", ForeignKey("dag.dag_id", ondelete="CASCADE"), primary_key=True),
    Column("event_id", RowId, ForeignKey("asset_event.id", ondelete="CASCADE"), primary_key=True),
    Column("is_counted", Boolean, nullable=False),
)

#: Which events made which run.
asset_consumption = Table(
    "asset_consumption",
    metadata,
    Column("dag_run_id", RowId, ForeignKey("dag_run.id", ondelete="CASCADE"), primary_key=True),
    Column("event_id", RowId, ForeignKey("asset_event.id", ondelete="CASCADE"), primary_key=True),
)
