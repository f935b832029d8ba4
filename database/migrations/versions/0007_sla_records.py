"""SLAs that were missed.

Revision: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tradewind.database.tables.base import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    if sa.inspect(op.get_bind()).has_table("sla_record"):
        return  # replayed from the first revision, which makes all tables as they are now
    op.create_table(
        "sla_record",
        sa.Column("dag_id", sa.String(250), primary_key=True),
        sa.Column("task_id", sa.String(250), primary_key=True),
        sa.Column("logical_date", UtcDateTime, primary_key=True),
        sa.Column("at", UtcDateTime, nullable=False),
        sa.ForeignKeyConstraint(["dag_id"], ["dag.dag_id"], ondelete="CASCADE"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("sla_record")
