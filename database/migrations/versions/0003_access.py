"""Several roles for each user, roles that people make, sessions, tokens, webhooks.

The role that a user has becomes the first of several. Everybody signs in anew: sessions are now
kept here.

Revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from tradewind.database.tables.base import JsonText, RowId, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = (
    "idempotency",
    "webhook",
    "revoked_token",
    "access_token",
    "login_session",
    "user_role",
    "role_permission",
    "role",
)


def upgrade() -> None:
    """Create the tables, and move each user's role."""
    seen = sa.inspect(op.get_bind())
    if seen.has_table("user_role"):
        return  # replayed from the first revision, which makes all tables as they are now
    _create_roles()
    _create_tokens()
    for column in (
        sa.Column("changed_at", UtcDateTime),
        sa.Column("last_login_at", UtcDateTime),
        sa.Column("login_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failed_login_count", sa.Integer, nullable=False, server_default="0"),
    ):
        op.add_column("tw_user", column)
    op.execute("INSERT INTO user_role (user_id, role) SELECT id, role FROM tw_user")
    op.drop_column("tw_user", "role")


def _of_user() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["tw_user.id"], ondelete="CASCADE")


def _create_roles() -> None:
    op.create_table(
        "role",
        sa.Column("name", sa.String(250), primary_key=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
    )
    op.create_table(
        "role_permission",
        sa.Column("role", sa.String(250), primary_key=True),
        sa.Column("action", sa.String(50), primary_key=True),
        sa.Column("resource", sa.String(300), primary_key=True),
        sa.Column("origin", sa.String(20), nullable=False, server_default="person"),
    )
    op.create_index("ix_role_permission_resource", "role_permission", ["resource"])
    op.create_table(
        "user_role",
        sa.Column("user_id", RowId, primary_key=True),
        sa.Column("role", sa.String(250), primary_key=True),
        _of_user(),
    )


def _create_tokens() -> None:
    op.create_table(
        "login_session",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("user_id", RowId, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.Column("address", sa.String(100), nullable=False, server_default=""),
        _of_user(),
    )
    op.create_index("ix_login_session_user_id", "login_session", ["user_id"])
    op.create_index("ix_login_session_seen_at", "login_session", ["seen_at"])
    op.create_table(
        "access_token",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("user_id", RowId, nullable=False),
        sa.Column("name", sa.String(250), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("last_used_at", UtcDateTime),
        _of_user(),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_access_token_user_id", "access_token", ["user_id"])
    op.create_table(
        "revoked_token",
        sa.Column("jti", sa.String(64), primary_key=True),
        sa.Column("expires_at", UtcDateTime, nullable=False),
    )
    op.create_index("ix_revoked_token_expires_at", "revoked_token", ["expires_at"])
    op.create_table(
        "webhook",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("name", sa.String(250), nullable=False, unique=True),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("dag_id", sa.String(250)),
        sa.Column("asset_name", sa.String(1500)),
        sa.Column("asset_uri", sa.String(1500)),
        sa.Column("created_by", sa.String(250), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime),
        sa.Column("last_used_at", UtcDateTime),
        sa.Column("use_count", sa.Integer, nullable=False, server_default="0"),
    )
    op.create_index("ix_webhook_dag_id", "webhook", ["dag_id"])
    op.create_table(
        "idempotency",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("headers", JsonText),
        sa.Column("body", sa.LargeBinary),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["created_at"])


def downgrade() -> None:
    """Give each user one role again; sessions, tokens and webhooks are lost."""
    op.add_column(
        "tw_user", sa.Column("role", sa.String(50), nullable=False, server_default="Viewer")
    )
    op.execute(
        "UPDATE tw_user SET role = COALESCE("
        "(SELECT MIN(role) FROM user_role WHERE user_role.user_id = tw_user.id), 'Viewer')"
    )
    for name in ("changed_at", "last_login_at", "login_count", "failed_login_count"):
        op.drop_column("tw_user", name)
    for name in _TABLES:
        op.drop_table(name)
