"""Where a worker serves its logs; task instances that name no executor say so.

Revision: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the address; unfinished task instances follow the default executor of the day."""
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("worker")}
    if "log_url" not in columns:  # else replayed from the first revision, which has it already
        op.add_column(
            "worker", sa.Column("log_url", sa.String(500), nullable=False, server_default="")
        )
    op.execute(
        "UPDATE task_instance SET executor = '' WHERE executor = 'LocalExecutor' AND state NOT IN"
        " ('success', 'failed', 'skipped', 'upstream_failed', 'removed')"
    )


def downgrade() -> None:
    """Drop the address; rows name the executor that was the only one."""
    op.execute("UPDATE task_instance SET executor = 'LocalExecutor' WHERE executor = ''")
    op.drop_column("worker", "log_url")
