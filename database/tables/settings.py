"""What people set: variables, connections, pools."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, String, Table, Text, false

from .base import metadata

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
