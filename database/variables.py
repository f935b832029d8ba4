"""Variables, encrypted at rest."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from .event_writes import Event, write_events
from .operations import Operations
from .tables import variable
from .values import VariableRow


class VariableOperations(Operations):
    """``store.variables``: what people keep for their DAGs."""

    def get(self, key: str) -> VariableRow | None:
        """Return one variable, decrypted, or None."""
        with self._database.read() as connection:
            row = connection.execute(select(variable).where(variable.c.key == key)).one_or_none()
        return None if row is None else self._row(row)

    def keys(self, prefix: str = "") -> builtins.list[str]:
        """Return the keys that begin with *prefix*, in order."""
        statement = select(variable.c.key).order_by(variable.c.key)
        if prefix:
            statement = statement.where(variable.c.key.startswith(prefix, autoescape=True))
        with self._database.read() as connection:
            found = connection.execute(statement).scalars().all()
        return [key for key in found if key.startswith(prefix)]  # SQLite's LIKE knows no case

    def set(
        self,
        key: str,
        value: str,
        description: str | None = None,
        *,
        now: datetime,
        actor: str = "runner",
    ) -> None:
        """Create or replace a variable; ``description`` None keeps the one that it has."""
        token = self._ground.cipher.encrypt(value)
        values = {"value": token}
        if description is not None:
            values["description"] = description
        with self._database.write() as connection:
            known = connection.execute(update(variable).where(variable.c.key == key).values(values))
            if known.rowcount == 0:
                connection.execute(insert(variable).values(key=key, **values))
            write_events(connection, [Event("variable.set", actor, detail={"key": key})], now)

    def delete(self, key: str, *, now: datetime, actor: str = "runner") -> bool:
        """Remove a variable; False where there was none."""
        with self._database.write() as connection:
            gone = connection.execute(delete(variable).where(variable.c.key == key)).rowcount == 1
            if gone:
                event = Event("variable.deleted", actor, detail={"key": key})
                write_events(connection, [event], now)
        return gone

    def list(self) -> builtins.list[VariableRow]:
        """Return all variables, decrypted, by key."""
        with self._database.read() as connection:
            rows = connection.execute(select(variable).order_by(variable.c.key)).all()
        return [self._row(row) for row in rows]

    def _row(self, row: Any) -> VariableRow:
        value = self._ground.cipher.decrypt(row.value, f"The variable {row.key!r}")
        return VariableRow(row.key, value, row.description)
