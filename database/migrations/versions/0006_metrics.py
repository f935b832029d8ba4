"""Counters of the metrics, and how far the event log has been counted.

Revision: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    if sa.inspect(op.get_bind()).has_table("metric_counter"):
        return  # replayed from the first revision, which makes all tables as they are now
    op.create_table(
        "metric_counter",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("labels", sa.String(600), primary_key=True),
        sa.Column("value", sa.Float, nullable=False),
    )
    op.create_table(
        "metric_position",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("event_id", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("metric_position")
    op.drop_table("metric_counter")
