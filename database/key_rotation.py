"""Encrypts what is stored with the first of the keys, so that the others can go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, select, update

from .errors import DatabaseError
from .event_writes import Event, write_events
from .operations import Operations
from .tables import asset_watcher, trigger, variable
from .tables import connection as connection_table

#: Word, table, its key, columns that hold Fernet tokens.
_SECRETS: Sequence[tuple[str, Table, Column[Any], Sequence[str]]] = (
    ("variables", variable, variable.c.key, ("value",)),
    ("connections", connection_table, connection_table.c.conn_id, ("password", "extra")),
    ("triggers", trigger, trigger.c.id, ("kwargs",)),
    ("asset watchers", asset_watcher, asset_watcher.c.id, ("kwargs",)),
)


class EncryptionOperations(Operations):
    """``store.encryption``."""

    def rotate(self, *, now: datetime, actor: str) -> dict[str, int]:
        """Encrypt all secrets anew in one transaction; return how many rows of each kind.

        Raises:
            DatabaseError: one of them opens with none of the keys; the text names it, and
                nothing is changed. Or there is no key.
        """
        self._ground.cipher.encrypt("")  # without a key nothing else is tried
        counts: dict[str, int] = {}
        with self._database.write() as connection:
            for name, table, key, columns in _SECRETS:
                counts[name] = self._rotate(connection, name, table, key, columns)
            write_events(connection, [Event("fernet_key.rotated", actor, detail=counts)], now)
        return counts

    def _rotate(
        self,
        connection: Connection,
        name: str,
        table: Table,
        key: Column[Any],
        columns: Sequence[str],
    ) -> int:
        cipher, count = self._ground.cipher, 0
        for row in connection.execute(select(key, *(table.c[one] for one in columns))).all():
            values = {}
            for column in columns:
                token = getattr(row, column)
                if token is None or token.startswith("{"):  # a trigger from before there was a key
                    continue
                try:
                    values[column] = cipher.encrypt(cipher.decrypt(token))
                except DatabaseError as error:
                    raise DatabaseError(
                        f"{name}: {row[0]!r} cannot be read with any key of [core] fernet_key; "
                        "nothing was changed."
                    ) from error
            if values:
                connection.execute(update(table).where(key == row[0]).values(values))
                count += 1
        return count
