"""Signs of life of scheduler, parser and web processes, for the health page."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select, update

from .event_writes import trim_events
from .locking import Locking
from .operations import Operations
from .retention import trim_outbox, trim_workers
from .tables import process
from .upserts import insert_on_conflict
from .values import ProcessRow

#: Signs of life older than this are history that nobody asks for.
KEPT = timedelta(days=1)

_BEAT = (
    update(process)
    .where(process.c.id == bindparam("held_id"))
    .values(beat_at=bindparam("now", type_=process.c.beat_at.type))
)


class ProcessOperations(Operations):
    """``store.processes``: nothing is decided by them."""

    def beat(self, kind: str, process_id: str, host: str, pid: int, now: datetime) -> None:
        """Say that a process lives. ``process_id``: unique to this start of it.

        It comes every few seconds, so it also keeps what grows within its bounds.
        """
        with self._database.write(Locking.NONE) as connection:
            trim_events(connection, self._settings.events_max)
            trim_outbox(connection, now)
            trim_workers(connection, now)
            known = connection.execute(_BEAT, {"held_id": process_id, "now": now})
            if known.rowcount:
                return
            connection.execute(delete(process).where(process.c.beat_at < now - KEPT))
            # Another thread of the same process may have done so since we looked.
            connection.execute(
                insert_on_conflict(process, connection.dialect.name)
                .values(id=process_id, kind=kind, host=host, pid=pid, started_at=now, beat_at=now)
                .on_conflict_do_nothing()
            )

    def list(self) -> list[ProcessRow]:
        """Return what was seen in the last day, the longest silent first."""
        with self._database.read() as connection:
            rows = connection.execute(select(process).order_by(process.c.beat_at)).all()
        return [
            ProcessRow(row.id, row.kind, row.host, row.pid, row.started_at, row.beat_at)
            for row in rows
        ]
