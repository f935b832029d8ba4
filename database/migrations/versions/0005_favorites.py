"""DAGs that users have marked for themselves.

Revision: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tradewind.database.tables.base import RowId

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    if sa.inspect(op.get_bind()).has_table("dag_favorite"):
        return  # replayed from the first revision, which makes all tables as they are now
    op.create_table(
        "dag_favorite",
        sa.Column("user_id", RowId, primary_key=True),
        sa.Column("dag_id", sa.String(250), primary_key=True),
        sa.ForeignKeyConstraint(["user_id"], ["tw_user.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["dag_id"], ["dag.dag_id"], ondelete="CASCADE"),
    )
    op.create_index("ix_dag_favorite_dag_id", "dag_favorite", ["dag_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("dag_favorite")
