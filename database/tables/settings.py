"""What people set: variables, connections, pools, users."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, Text, false, true

from .base import RowId, UtcDateTime, metadata

#: ``value`` is a Fernet token.
variable = Table(
    "variable",
    metadata,
    Column("key", String(250), primary_key=True),
    Column("value", Text, nullable=False),
    Column("description", Text, nullable=False, server_default=""),
)

#: ``password`` and ``extra`` are Fernet tokens.
connection = Table(
    "connection",
    metadata,
    Column("conn_id", String(250), primary_key=True),
    Column("conn_type", String(500), nullable=False, server_default=""),
    Column("description", Text),
    Column("host", String(500)),
    Column("schema", String(500)),
    Column("login", Text),
    Column("password", Text),
    Column("port", Integer),
    Column("extra", Text),
)

pool = Table(
    "pool",
    metadata,
    Column("name", String(250), primary_key=True),
    Column("slots", Integer, nullable=False),  # -1: unlimited
    Column("description", Text, nullable=False, server_default=""),
    Column("include_deferred", Boolean, nullable=False, server_default=false()),
)

user = Table(
    "tw_user",  # "user" is a reserved word in PostgreSQL
    metadata,
    Column("id", RowId, primary_key=True),
    Column("username", String(250), nullable=False, unique=True),
    Column("password_hash", String(500), nullable=False),
    Column("role", String(50), nullable=False),
    Column("email", String(500), nullable=False, server_default=""),
    Column("first_name", String(250), nullable=False, server_default=""),
    Column("last_name", String(250), nullable=False, server_default=""),
    Column("is_active", Boolean, nullable=False, server_default=true()),
    Column("created_at", UtcDateTime, nullable=False),
)
