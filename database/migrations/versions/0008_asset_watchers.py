"""Triggers that watch assets. Every DAG file is parsed again, so that they are found.

Revision: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tradewind.database.tables.base import RowId, UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    if sa.inspect(op.get_bind()).has_table("asset_watcher"):
        return  # replayed from the first revision, which makes all tables as they are now
    op.create_table(
        "asset_watcher",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("class_path", sa.String(1000), nullable=False),
        sa.Column("kwargs", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("worker_id", sa.String(36)),
        sa.Column("event_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("due_at", UtcDateTime),
        sa.Column("failure_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("error", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_asset_watcher_class_path", "asset_watcher", ["class_path"])
    op.create_table(
        "asset_watcher_use",
        sa.Column("watcher_id", RowId, primary_key=True),
        sa.Column("dag_id", sa.String(250), primary_key=True),
        sa.Column("asset_name", sa.String(1500), primary_key=True),
        sa.Column("asset_uri", sa.String(1500), primary_key=True),
        sa.Column("name", sa.String(1500), nullable=False),
        sa.ForeignKeyConstraint(["watcher_id"], ["asset_watcher.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["dag_id"], ["dag.dag_id"], ondelete="CASCADE"),
    )
    op.create_index("ix_asset_watcher_use_dag_id", "asset_watcher_use", ["dag_id"])
    op.create_index("ix_asset_watcher_use_asset_name", "asset_watcher_use", ["asset_name"])
    op.execute("UPDATE dag_file SET content_hash = ''")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("asset_watcher_use")
    op.drop_table("asset_watcher")
