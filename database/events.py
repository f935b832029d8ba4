"""The event log: what people did, what changed, and what live pages follow."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from .event_writes import Event, trim_events, write_events
from .operations import Operations
from .tables import event
from .values import EventRow


class EventOperations(Operations):
    """``store.events``: append-only, bounded by ``StoreSettings.events_max``."""

    def record(
        self,
        kind: str,
        *,
        now: datetime,
        actor: str,
        dag_id: str | None = None,
        run_id: str | None = None,
        task_id: str | None = None,
        map_index: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Append one entry about an act."""
        entry = Event(kind, actor, dag_id, run_id, task_id, map_index, extra or {})
        with self._database.write() as connection:
            write_events(connection, [entry], now)

    def since(self, event_id: int, limit: int = 500) -> list[EventRow]:
        """Return entries after one that was seen, oldest first."""
        statement = select(event).where(event.c.id > event_id).order_by(event.c.id).limit(limit)
        with self._database.read() as connection:
            return [_event_row(row) for row in connection.execute(statement).all()]

    def last_id(self) -> int:
        """Return the number of the newest entry, 0: there is none."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.max(event.c.id))).scalar() or 0)

    def list(
        self,
        *,
        dag_id: str | None = None,
        run_id: str | None = None,
        task_id: str | None = None,
        kinds: Sequence[str] = (),
        with_state_changes: bool = False,
        before_id: int | None = None,
        limit: int = 100,
    ) -> builtins.list[EventRow]:
        """Return entries, newest first.

        Args:
            with_state_changes: also what the system did by itself.
            before_id: only entries before this one (keyset paging).
        """
        statement = select(event)
        if dag_id is not None:
            statement = statement.where(event.c.dag_id == dag_id)
        if run_id is not None:
            statement = statement.where(event.c.run_id == run_id)
        if task_id is not None:
            statement = statement.where(event.c.task_id == task_id)
        if kinds:
            statement = statement.where(event.c.kind.in_(list(kinds)))
        elif not with_state_changes:
            statement = statement.where(event.c.kind != "state")
        if before_id is not None:
            statement = statement.where(event.c.id < before_id)
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(event.c.id.desc()).limit(limit)).all()
        return [_event_row(row) for row in rows]

    def trim(self, at_once: int = 5000) -> int:
        """Remove the oldest entries beyond the limit, some at a time; return how many went."""
        with self._database.write() as connection:
            return trim_events(connection, self._settings.events_max, at_once)


def _event_row(row: Any) -> EventRow:
    return EventRow(
        id=row.id,
        at=row.at,
        kind=row.kind,
        actor=row.actor,
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        detail=row.detail,
    )
