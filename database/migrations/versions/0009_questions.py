"""What tasks ask people is found without a look at all XComs.

Revision: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NAME = "ix_xcom_question"


def upgrade() -> None:
    """Create the index."""
    known = {one["name"] for one in sa.inspect(op.get_bind()).get_indexes("xcom")}
    if NAME in known:
        return  # replayed from the first revision, which makes all tables as they are now
    is_question = sa.text("key = 'hitl_detail'")
    op.create_index(
        NAME, "xcom", ["dag_run_id"], sqlite_where=is_question, postgresql_where=is_question
    )


def downgrade() -> None:
    """Drop the index."""
    op.drop_index(NAME, "xcom")
