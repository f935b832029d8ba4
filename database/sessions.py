"""Sessions of browsers, kept here so that an ended one is worth nothing, wherever its cookie is."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from .event_writes import Event, write_events
from .locking import Locking
from .operations import Operations
from .tables import login_session

#: A session that is used is written down so often, not at every request.
SEEN_EVERY = timedelta(minutes=5)


class SessionOperations(Operations):
    """``store.sessions``. A session is known by a random text that only its browser has."""

    def begin(
        self, user_id: int, *, address: str, now: datetime, actor: str, expired_before: datetime
    ) -> str:
        """Begin a session and return its text; old ones are removed on the way."""
        text = secrets.token_urlsafe(32)
        with self._database.write() as connection:
            connection.execute(
                delete(login_session).where(login_session.c.seen_at < expired_before)
            )
            connection.execute(
                insert(login_session).values(
                    id=_hash(text), user_id=user_id, created_at=now, seen_at=now, address=address
                )
            )
            write_events(connection, [Event("user.login", actor)], now)
        return text

    def find_user(self, text: str, *, now: datetime, idle: timedelta, age: timedelta) -> int | None:
        """Return whose session this is; None: it has ended.

        Args:
            idle: it ends when it was not used for so long.
            age: it ends so long after it began, however much it is used.
        """
        hashed = _hash(text)
        with self._database.read() as connection:
            row = connection.execute(
                select(login_session).where(login_session.c.id == hashed)
            ).one_or_none()
        if row is None or row.seen_at < now - idle or row.created_at < now - age:
            return None
        if row.seen_at < now - SEEN_EVERY:
            with self._database.write(Locking.NONE) as connection:
                connection.execute(
                    update(login_session).where(login_session.c.id == hashed).values(seen_at=now)
                )
        return int(row.user_id)

    def end(self, text: str, *, now: datetime, actor: str) -> None:
        """End one session."""
        with self._database.write() as connection:
            gone = connection.execute(
                delete(login_session).where(login_session.c.id == _hash(text))
            )
            if gone.rowcount:
                write_events(connection, [Event("user.logout", actor)], now)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
