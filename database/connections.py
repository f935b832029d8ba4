"""Connections; passwords and extras are encrypted at rest."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, insert, select, update

from .event_writes import Event, write_events
from .operations import Operations
from .tables import connection as connection_table

FIELDS: Final = (
    "conn_type",
    "description",
    "host",
    "schema",
    "login",
    "password",
    "port",
    "extra",
)
SECRET_FIELDS: Final = frozenset({"password", "extra"})


class ConnectionOperations(Operations):
    """``store.connections``: mappings with ``conn_id`` and ``FIELDS``."""

    def get(self, conn_id: str) -> dict[str, Any] | None:
        """Return one connection's fields, decrypted, or None."""
        with self._database.read() as connection:
            row = connection.execute(
                select(connection_table).where(connection_table.c.conn_id == conn_id)
            ).one_or_none()
        return None if row is None else self._fields(row)

    def set(
        self,
        conn_id: str,
        fields: Mapping[str, Any],
        *,
        now: datetime,
        actor: str = "scheduler",
    ) -> bool:
        """Create or replace a connection; fields left out become empty. True: it is new."""
        values = {name: fields.get(name) for name in FIELDS}
        values["conn_type"] = values["conn_type"] or ""
        for name in SECRET_FIELDS:
            if values[name] is not None:
                values[name] = self._ground.cipher.encrypt(str(values[name]))
        with self._database.write() as connection:
            known = connection.execute(
                update(connection_table).where(connection_table.c.conn_id == conn_id).values(values)
            )
            is_new = known.rowcount == 0
            if is_new:
                connection.execute(insert(connection_table).values(conn_id=conn_id, **values))
            event = Event("connection.set", actor, detail={"conn_id": conn_id})
            write_events(connection, [event], now)
        return is_new

    def delete(self, conn_id: str, *, now: datetime, actor: str = "scheduler") -> bool:
        """Remove a connection; False where there was none."""
        with self._database.write() as connection:
            statement = delete(connection_table).where(connection_table.c.conn_id == conn_id)
            gone = connection.execute(statement).rowcount == 1
            if gone:
                event = Event("connection.deleted", actor, detail={"conn_id": conn_id})
                write_events(connection, [event], now)
        return gone

    def list(self) -> builtins.list[dict[str, Any]]:
        """Return all connections, decrypted, by id."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(connection_table).order_by(connection_table.c.conn_id)
            ).all()
        return [self._fields(row) for row in rows]

    def _fields(self, row: Any) -> dict[str, Any]:
        fields = dict(row._mapping)
        for name in SECRET_FIELDS:
            if fields[name] is not None:
                what = f"The {name} of the connection {row.conn_id!r}"
                fields[name] = self._ground.cipher.decrypt(fields[name], what)
        return fields
