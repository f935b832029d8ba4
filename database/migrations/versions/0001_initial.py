"""The first schema: all tables as they stood at the first release.

An empty database never comes here: ``migrate.py`` creates the newest tables at once.

Revision: 0001
"""

from __future__ import annotations

from alembic import op
from tradewind.database.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    # Later revisions freeze the tables that they change; until there is one, these are they.
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    """Drop every table."""
    metadata.drop_all(op.get_bind())
