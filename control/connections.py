"""Connections: how DAGs reach other systems. Stored encrypted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..database.errors import AlreadyExists, NotFound
from ..sdk.connection import Connection
from ..sdk.secrets_masker import is_secret_name
from .input import InvalidInput

if TYPE_CHECKING:
    from .services import Services

MASK = "***"
#: Source: architecture, section 7.
ALLOWED_ID = re.compile(r"[\w.-]{1,200}")


def list_connections(services: Services) -> list[Connection]:
    """Return all connections by id."""
    rows = [Connection.from_fields(row) for row in services.store.connections.list()]
    return sorted(rows, key=lambda connection: connection.conn_id or "")


def get_connection(services: Services, conn_id: str) -> Connection:
    """Return one connection.

    Raises:
        NotFound: there is none with this id.
    """
    fields = services.store.connections.get(conn_id)
    if fields is None:
        raise NotFound(f"Connection {conn_id!r} not found.")
    return Connection.from_fields({"conn_id": conn_id, **fields})


def read_connection(conn_id: str, value: str | Mapping[str, Any]) -> Connection:
    """Build a connection from a URI, from JSON text, or from fields.

    Raises:
        InvalidInput: it cannot be read; the text never shows the value, which holds secrets.
    """
    try:
        if isinstance(value, Mapping):
            return Connection.from_json(json.dumps(dict(value)), conn_id)
        return Connection.from_text(value, conn_id)
    except ValueError as error:
        raise InvalidInput(f"Connection {conn_id!r} cannot be read: {error}") from None


def add_connection(
    services: Services, connection: Connection, *, is_overwriting: bool = False
) -> None:
    """Store a connection.

    Raises:
        InvalidInput: its id is not allowed, or it has no type.
        AlreadyExists: the id is taken, and *is_overwriting* is false.
    """
    conn_id = connection.conn_id or ""
    if not ALLOWED_ID.fullmatch(conn_id):
        raise InvalidInput(
            f"{conn_id!r} is not a connection id: 1 to 200 letters, digits, dots, dashes and "
            "underscores"
        )
    if not connection.conn_type:
        raise InvalidInput(f"Connection {conn_id!r} needs a type")
    if not is_overwriting and services.store.connections.get(conn_id) is not None:
        raise AlreadyExists(f"A connection with the id {conn_id!r} already exists.")
    fields = connection.to_fields()
    fields.pop("conn_id", None)
    services.store.connections.set(conn_id, fields, now=services.now(), actor=services.actor)


def delete_connection(services: Services, conn_id: str) -> None:
    """Delete a connection.

    Raises:
        NotFound: there is none with this id.
    """
    get_connection(services, conn_id)
    services.store.connections.delete(conn_id, now=services.now(), actor=services.actor)


def import_connections(
    services: Services, entries: Mapping[str, Any], *, is_overwriting: bool
) -> list[tuple[str, bool]]:
    """Store many connections; return (id, whether it was stored) for each.

    Raises:
        InvalidInput: one of them cannot be read; then nothing is stored.
    """
    read = [read_connection(str(conn_id), value) for conn_id, value in entries.items()]
    outcome = []
    for connection in read:
        try:
            add_connection(services, connection, is_overwriting=is_overwriting)
            is_stored = True
        except AlreadyExists:
            is_stored = False
        outcome.append((connection.conn_id or "", is_stored))
    return outcome


def masked_fields(connection: Connection, *, is_shown: bool) -> dict[str, Any]:
    """Return a connection's fields for people; the password and secret extras only if asked."""
    extra = connection.extra_dejson
    password = connection.password
    uri = connection.get_uri()
    if not is_shown:
        extra = {key: MASK if is_secret_name(key) else value for key, value in extra.items()}
        if password:
            hidden = Connection.from_fields({**connection.to_fields(), "password": MASK})
            hidden.extra = json.dumps(extra) if extra else connection.extra
            password, uri = MASK, hidden.get_uri()
        elif extra != connection.extra_dejson:
            hidden = Connection.from_fields({**connection.to_fields(), "extra": json.dumps(extra)})
            uri = hidden.get_uri()
    return {
        "id": connection.conn_id,
        "conn_id": connection.conn_id,
        "conn_type": connection.conn_type,
        "description": connection.description,
        "host": connection.host,
        "schema": connection.schema,
        "login": connection.login,
        "password": password,
        "port": connection.port,
        "is_encrypted": bool(connection.password),
        "is_extra_encrypted": bool(connection.extra),
        "extra_dejson": extra,
        "get_uri": uri.replace(quote(MASK), MASK),
    }


def export_text(connections: Sequence[Connection], kind: str, *, is_uri: bool) -> str:
    """Return the text of a file of connections, secrets included.

    Args:
        kind: json, yaml or env.
        is_uri: in an env file each value is a URI, else JSON.
    """
    if kind == "env":
        lines = [
            f"{one.conn_id}={one.get_uri() if is_uri else one.as_json()}" for one in connections
        ]
        return "\n".join(lines) + "\n"
    fields = {}
    for one in connections:
        values = one.to_dict()
        conn_id = str(values.pop("conn_id"))
        values["extra"] = one.extra or ""
        fields[conn_id] = values
    if kind == "yaml":
        import yaml

        return yaml.safe_dump(fields, default_flow_style=False)
    return json.dumps(fields, indent=2) + "\n"
