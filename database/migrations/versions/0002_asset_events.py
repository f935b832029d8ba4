"""Runs that assets trigger: events, and what waits for them.

The tables of assets were there before, but nothing wrote to them: they are made anew. Every DAG
is parsed again, so that what it names is written down.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tradewind.database.tables.base import JsonText, RowId, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    "asset_consumption",
    "asset_queue",
    "asset_event",
    "asset_alias_link",
    "asset_reference",
    "asset",
)


def upgrade() -> None:
    """Replace the tables of assets."""
    for name in _TABLES:
        op.execute(f"DROP TABLE IF EXISTS {name}")
    _create_assets()
    _create_events()
    op.execute("UPDATE dag_version SET hash = ''")
    op.execute("UPDATE dag_file SET content_hash = ''")


def _cascade(columns: list[str], referred: list[str]) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(columns, referred, ondelete="CASCADE")


def _create_assets() -> None:
    op.create_table(
        "asset",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("name", sa.String(1500), nullable=False),
        sa.Column("uri", sa.String(1500), nullable=False),
        sa.Column("asset_group", sa.String(1500), nullable=False, server_default="asset"),
        sa.Column("extra", JsonText),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("name", "uri"),
    )
    op.create_index("ix_asset_uri", "asset", ["uri"])
    op.create_table(
        "asset_reference",
        sa.Column("dag_id", sa.String(250), primary_key=True),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("task_id", sa.String(250), primary_key=True),
        sa.Column("form", sa.String(20), primary_key=True),
        sa.Column("name", sa.String(1500), primary_key=True),
        sa.Column("uri", sa.String(1500), primary_key=True),
        _cascade(["dag_id"], ["dag.dag_id"]),
    )
    op.create_index("ix_asset_reference_name", "asset_reference", ["name"])
    op.create_index("ix_asset_reference_uri", "asset_reference", ["uri"])
    op.create_table(
        "asset_alias_link",
        sa.Column("alias", sa.String(1500), primary_key=True),
        sa.Column("asset_id", RowId, primary_key=True),
        _cascade(["asset_id"], ["asset.id"]),
    )
    op.create_index("ix_asset_alias_link_asset_id", "asset_alias_link", ["asset_id"])


def _create_events() -> None:
    op.create_table(
        "asset_event",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("asset_id", RowId, nullable=False),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.Column("extra", JsonText),
        sa.Column("aliases", JsonText),
        sa.Column("source_dag_id", sa.String(250)),
        sa.Column("source_run_id", sa.String(250)),
        sa.Column("source_task_id", sa.String(250)),
        sa.Column("source_map_index", sa.Integer),
        _cascade(["asset_id"], ["asset.id"]),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_asset_event_asset_id_id", "asset_event", ["asset_id", "id"])
    op.create_table(
        "asset_queue",
        sa.Column("dag_id", sa.String(250), primary_key=True),
        sa.Column("event_id", RowId, primary_key=True),
        sa.Column("is_counted", sa.Boolean, nullable=False),
        _cascade(["dag_id"], ["dag.dag_id"]),
        _cascade(["event_id"], ["asset_event.id"]),
    )
    op.create_table(
        "asset_consumption",
        sa.Column("dag_run_id", RowId, primary_key=True),
        sa.Column("event_id", RowId, primary_key=True),
        _cascade(["dag_run_id"], ["dag_run.id"]),
        _cascade(["event_id"], ["asset_event.id"]),
    )


def downgrade() -> None:
    """Leave the new tables empty: the old ones held nothing."""
    for name in _TABLES:
        op.execute(sa.table(name).delete())
