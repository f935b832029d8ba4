"""Bells over PostgreSQL: NOTIFY to ring, LISTEN to hear, for processes on any machine.

A ring is sent after the commit that it is about, in a transaction of its own that waits for no
disk. Inside that commit it would hold PostgreSQL's one lock for notifying commits until the disk
has answered, and all commits of all machines would queue up behind it. What a crash between the
two loses is found by the next sweep, as every lost ring is.
"""

from __future__ import annotations

import logging
import random
import selectors
import time
from typing import TYPE_CHECKING, Final

from sqlalchemy import ARRAY, String, bindparam, text
from sqlalchemy.exc import SQLAlchemyError

from .bell import Bell

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn

    from .engine import Database

log = logging.getLogger(__name__)

CHANNEL_PREFIX: Final = "tradewind_"
RETRY_MIN_S: Final = 0.2
RETRY_MAX_S: Final = 2.0  # a sweep hears what a bell did not
#: A connection that is not made within this time is begun anew.
CONNECT_TIMEOUT_S: Final = 5.0

_NOTIFY = text(
    "SELECT set_config('synchronous_commit', 'off', true), count(pg_notify(channel, ''))"
    " FROM unnest(:channels) AS channel"
).bindparams(bindparam("channels", type_=ARRAY(String)))


class DatabaseBell(Bell):
    """Rings whoever listens to the same database."""

    def __init__(self, database: Database) -> None:
        super().__init__(None)
        self._sender_engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")

    def ring(self, *names: str) -> None:
        """See ``Bell.ring``."""
        channels = [f"{CHANNEL_PREFIX}{name}" for name in dict.fromkeys(names)]
        try:
            with self._sender_engine.connect() as connection:
                connection.execute(_NOTIFY, {"channels": channels})
        except SQLAlchemyError as error:
            log.debug("nobody was rung: %s", error)


class DatabaseListener:
    """Hears one bell over a connection of its own, and never waits for it.

    ``fileno()`` stays the same over all reconnections. Call ``drain()`` after each wait, also
    where nothing was heard: it is there that a lost connection is made again.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._statement = f"LISTEN {CHANNEL_PREFIX}{name}".encode()
        self._selector = selectors.DefaultSelector()
        self._connection: PGconn | None = None
        self._is_listening = False
        self._registered: int | None = None
        self._retry_s = RETRY_MIN_S
        self._due_s = 0.0
        self.drain()

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there is something to ``drain``."""
        return self._selector.fileno()

    def drain(self) -> int:
        """Take all rings that have come in, and return how many; one more after a reconnection."""
        import psycopg

        now_s = time.monotonic()
        try:
            if self._connection is None:
                if now_s >= self._due_s:
                    self._begin(now_s)
                return 0
            if not self._is_listening:
                return self._go_on(now_s)
            return self._hear()
        except (OSError, psycopg.OperationalError) as error:
            self._lose(str(error), now_s)
            return 0

    def close(self) -> None:
        """Stop listening."""
        self._forget()
        self._selector.close()

    def _begin(self, now_s: float) -> None:
        from psycopg import pq

        from .postgresql import connection_text

        self._due_s = now_s + CONNECT_TIMEOUT_S
        connection = pq.PGconn.connect_start(connection_text(self._database))
        self._connection = connection
        if connection.status == pq.ConnStatus.BAD:
            raise OSError(_message(connection))
        self._register(selectors.EVENT_WRITE)

    def _go_on(self, now_s: float) -> int:
        """Take the next step of connecting."""
        from psycopg import pq

        connection = self._connection
        assert connection is not None  # noqa: S101 - for the type checker
        step = connection.connect_poll()
        if step == pq.PollingStatus.OK:
            connection.nonblocking = 1
            connection.send_query(self._statement)
            connection.flush()
            self._register(selectors.EVENT_READ)
            self._is_listening = True
            return self._hear()
        if step == pq.PollingStatus.FAILED:
            raise OSError(_message(connection))
        if now_s > self._due_s:
            raise OSError(f"no connection within {CONNECT_TIMEOUT_S:g} s")
        is_reading = step == pq.PollingStatus.READING
        self._register(selectors.EVENT_READ if is_reading else selectors.EVENT_WRITE)
        return 0

    def _hear(self) -> int:
        from psycopg import pq

        connection = self._connection
        assert connection is not None  # noqa: S101 - for the type checker
        connection.flush()
        connection.consume_input()
        count = 0
        while not connection.is_busy():
            result = connection.get_result()
            if result is None:
                break
            if result.status == pq.ExecStatus.FATAL_ERROR:
                raise OSError(_message(connection))
            self._retry_s = RETRY_MIN_S
            count = 1  # it listens from now on; what was rung before was not heard
        while connection.notifies() is not None:
            count += 1
        if connection.status == pq.ConnStatus.BAD:
            raise OSError(_message(connection))
        return count

    def _register(self, events: int) -> None:
        """Wait for these events of the socket, which changes while a connection is made."""
        self._unregister()
        assert self._connection is not None  # noqa: S101 - for the type checker
        self._registered = self._connection.socket
        self._selector.register(self._registered, events)

    def _unregister(self) -> None:
        if self._registered is not None:
            try:
                self._selector.unregister(self._registered)
            except (KeyError, ValueError, OSError):
                log.debug("the listener's socket was closed already")
            self._registered = None

    def _lose(self, why: str, now_s: float) -> None:
        if self._is_listening:
            log.info("bells are silent until the database is back: %s", why)
        self._forget()
        spread = random.uniform(0.7, 1.3)  # noqa: S311 - spreading load, not secrecy
        self._due_s = now_s + self._retry_s * spread
        self._retry_s = min(RETRY_MAX_S, self._retry_s * 2)

    def _forget(self) -> None:
        self._unregister()
        if self._connection is not None:
            self._connection.finish()
        self._connection = None
        self._is_listening = False


def _message(connection: PGconn) -> str:
    return " ".join(connection.error_message.decode(errors="replace").split())
