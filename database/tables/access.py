"""Who may sign in, what roles may do, and what stands for a person: sessions, tokens, hooks."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table, true

from .base import JsonText, RowId, UtcDateTime, metadata

user = Table(
    "tw_user",  # "user" is a reserved word in PostgreSQL
    metadata,
    Column("id", RowId, primary_key=True),
    Column("username", String(250), nullable=False, unique=True),
    #: Empty: signs in elsewhere (proxy, OpenID Connect), never with a password.
    Column("password_hash", String(500), nullable=False),
    Column("email", String(500), nullable=False, server_default=""),
    Column("first_name", String(250), nullable=False, server_default=""),
    Column("last_name", String(250), nullable=False, server_default=""),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime),
    Column("last_login_at", UtcDateTime),
    Column("login_count", Integer, nullable=False, server_default="0"),
    Column("failed_login_count", Integer, nullable=False, server_default="0"),
)

#: Roles that people made; the five of Airflow need no row.
role = Table(
    "role",
    metadata,
    Column("name", String(250), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
)

#: What a role may do, beside what is built in. ``origin``: "person", or "file": the DAG file's
#: ``access_control``, which a parse replaces. No foreign key: a file may name a role that is
#: made later.
role_permission = Table(
    "role_permission",
    metadata,
    Column("role", String(250), primary_key=True),
    Column("action", String(50), primary_key=True),
    Column("resource", String(300), primary_key=True, index=True),
    Column("origin", String(20), nullable=False, server_default="person"),
)

user_role = Table(
    "user_role",
    metadata,
    Column("user_id", RowId, ForeignKey("tw_user.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(250), primary_key=True),
)

#: One row per login of a browser; gone when it ends. ``id`` is the hash of what the cookie holds.
login_session = Table(
    "login_session",
    metadata,
    Column("id", String(64), primary_key=True),
    Column(
        "user_id", RowId, ForeignKey("tw_user.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False, index=True),
    Column("address", String(100), nullable=False, server_default=""),
)

#: Personal tokens. ``token_hash`` is SHA-256 of 256 random bits: nothing slower is needed.
access_token = Table(
    "access_token",
    metadata,
    Column("id", RowId, primary_key=True),
    Column(
        "user_id", RowId, ForeignKey("tw_user.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("name", String(250), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime),
    sqlite_autoincrement=True,
)

#: Tokens of ``/auth/token`` that were given back before their time; kept until they expire.
revoked_token = Table(
    "revoked_token",
    metadata,
    Column("jti", String(64), primary_key=True),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

#: An address that starts runs of one DAG, or events of one asset, for whoever has its token.
webhook = Table(
    "webhook",
    metadata,
    Column("id", RowId, primary_key=True),
    Column("name", String(250), nullable=False, unique=True),
    Column("token_hash", String(64), nullable=False),
    Column("dag_id", String(250), index=True),
    Column("asset_name", String(1500)),
    Column("asset_uri", String(1500)),
    Column("created_by", String(250), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("use_count", Integer, nullable=False, server_default="0"),
)

#: Answers to writes that named an ``Idempotency-Key``. ``status`` None: not answered yet.
idempotency = Table(
    "idempotency",
    metadata,
    #: Hash of who asks and the key.
    Column("id", String(64), primary_key=True),
    #: Hash of method, address and body.
    Column("request_hash", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("status", Integer),
    Column("headers", JsonText),
    Column("body", LargeBinary),
)
