"""The outbox: callbacks that are to be delivered at least once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select, text, update

from .deadline_writes import reason_of
from .operations import Operations
from .tables import outbox
from .values import OutboxRow

_WAITING = (
    select(outbox)
    .where(
        text("outbox.state = 'waiting'"),
        outbox.c.due_at <= bindparam("now", type_=outbox.c.due_at.type),
    )
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(bindparam("limit"))
)

_NEXT = select(func.min(outbox.c.due_at)).where(text("outbox.state = 'waiting'"))


class OutboxOperations(Operations):
    """``store.outbox``: take, then say done or failed; who dies in between leaves it to others."""

    def take(self, now: datetime, limit: int = 10, lease_s: float | None = None) -> list[OutboxRow]:
        """Return messages that are due, and keep others from them for one lease.

        Args:
            lease_s: longer than a delivery may take; None: two leases of a worker.
        """
        lease = timedelta(seconds=lease_s or self._settings.lease_s * 2)
        next_at: datetime | None = self._remembered.value(_NEXT)
        if next_at is None or next_at > now:
            return []
        with self._database.write() as connection:
            rows = connection.execute(_WAITING, {"now": now, "limit": limit}).all()
            for row in rows:
                connection.execute(
                    update(outbox)
                    .where(outbox.c.id == row.id)
                    .values(
                        tries=row.tries + 1,
                        due_at=now + lease,
                    )
                )
        return [
            OutboxRow(row.id, row.kind, row.dag_id, row.payload, row.tries + 1, row.created_at)
            for row in rows
        ]

    def done(self, message_id: int) -> None:
        """A message was delivered."""
        with self._database.write() as connection:
            connection.execute(
                update(outbox).where(outbox.c.id == message_id).values(state="done", error="")
            )

    def put_off(self, message_id: int, at: datetime) -> None:
        """A deadline has become known: its message waits for it, as if it were new."""
        with self._database.write() as connection:
            payload = connection.execute(
                select(outbox.c.payload).where(outbox.c.id == message_id)
            ).scalar_one_or_none()
            if payload is not None:
                told = {**payload, "deadline_at": at.isoformat(), "reason": reason_of(at)}
                connection.execute(
                    update(outbox)
                    .where(outbox.c.id == message_id)
                    .values(due_at=at, tries=0, payload=told)
                )

    def fail(self, message_id: int, error: str, now: datetime) -> bool:
        """A delivery failed: again later, and parked after the last try, for people to see.

        Returns:
            Whether it is parked: nobody will try again.
        """
        with self._database.write() as connection:
            tries = connection.execute(
                select(outbox.c.tries).where(outbox.c.id == message_id)
            ).scalar_one_or_none()
            if tries is None:
                return False
            is_last: bool = tries >= self._settings.outbox_tries_max
            connection.execute(
                update(outbox)
                .where(outbox.c.id == message_id)
                .values(
                    state="parked" if is_last else "waiting",
                    error=error,
                    due_at=now + timedelta(seconds=min(2.0**tries, 600.0)),
                )
            )
        return is_last

    def has_begun(self) -> bool:
        """Tell whether a message was taken and is not delivered yet, or is being delivered."""
        statement = select(outbox.c.id).where(text("outbox.state = 'waiting'"), outbox.c.tries > 0)
        with self._database.read() as connection:
            return connection.execute(statement.limit(1)).first() is not None
