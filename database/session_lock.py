"""A lock that one process of a whole cluster holds, as long as its connection lives.

PostgreSQL gives it back when the holder dies, or its machine is not heard of for 15 s.
"""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

    from .engine import Database

log = logging.getLogger(__name__)

#: Between two tries to connect again.
RETRY_S = 1.0


class SessionLock:
    """Looks like ``scheduler.standby.FileLock``."""

    def __init__(self, database: Database, key: int) -> None:
        """Args: key: of ``postgresql.py``, which lists them all."""
        self._database = database
        self._key = key
        self._connection: psycopg.Connection[tuple[bool]] | None = None
        self._due_s = 0.0

    def acquire(self) -> bool:
        """Take the lock if it is free; never waits for another holder."""
        return self._take() is True

    def is_lost(self) -> bool:
        """Whether another process has the lock now.

        Where only the connection was lost, it is made again; while the database is away nobody
        can take the lock.
        """
        if self._connection is not None and not self._is_closed(self._connection):
            return False
        now_s = time.monotonic()
        if now_s < self._due_s:
            return False
        self._due_s = now_s + RETRY_S
        return self._take() is False

    def _take(self) -> bool | None:
        """Try once; None: the database is away."""
        import psycopg

        from .postgresql import connection_text

        self.release()
        try:
            text = connection_text(self._database).decode()
            self._connection = psycopg.connect(text, autocommit=True)
            row = self._connection.execute(
                "SELECT pg_try_advisory_lock(%s)", (self._key,)
            ).fetchone()
        except psycopg.Error as error:
            log.warning("the database is away: %s", " ".join(str(error).split()))
            self.release()
            return None
        if row is None or not row[0]:
            self.release()
            return False
        return True

    def _is_closed(self, connection: psycopg.Connection[tuple[bool]]) -> bool:
        from .postgresql import is_closed

        return is_closed(connection)

    def release(self) -> None:
        """Give the lock back, at once: the server notices a closed connection a moment later."""
        if self._connection is None:
            return
        import psycopg

        with contextlib.suppress(psycopg.Error):  # it is lost with its connection, then
            self._connection.execute("SELECT pg_advisory_unlock_all()")
        self._connection.close()
        self._connection = None
