"""Fair turns of all processes that write one SQLite file.

SQLite itself lets writers poll, ever more slowly: measured with four processes that write at once,
one waited 1.5 s at p99. Here whoever waits says so by a shared lock on a file beside the database
(the kernel drops it with the process); whoever has just committed and sees it lets the others go
first; and the longer a writer has waited, the more often it asks. Source: ``reliability.md`` R7.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable

#: Who has committed this long ago or less, and comes back, looks whether others wait.
SOON_S = 0.02
#: How long it lets them go first: longer than a young waiter's pause.
YIELD_S = 0.003
#: (waited at least, seconds between two looks): old waiters come first.
PAUSES = ((0.03, 0.0002), (0.01, 0.0007), (0.0, 0.002))
#: How long one look of a reader may wait inside SQLite, while another process recovers the file.
BUSY_TIMEOUT_S = 5.0
#: From here on nobody's turn is meant but another program's lock: looking costs more than it gives.
LONG_WAIT_S = 1.0
LONG_PAUSE_S = 0.01


class Turns:
    """The turns of one process. Its threads queue up before they come here."""

    def __init__(self, database_path: str) -> None:
        """Prepare; the file beside *database_path* is opened when somebody first waits."""
        self._path = f"{database_path}-waiting"
        self._file: int | None = None
        self._committed_s = float("-inf")

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def let_others_go_first(self) -> None:
        """Pause before a write that follows upon one's own, if another process waits."""
        if time.monotonic() - self._committed_s < SOON_S and self._is_someone_waiting():
            time.sleep(YIELD_S)

    def ended(self) -> None:
        """Note that a write is over."""
        self._committed_s = time.monotonic()

    def begin(self, connection: sqlite3.Connection, timeout_s: float) -> bool:
        """Begin a transaction that writes; False: the lock could not be had in *timeout_s*.

        Raises:
            sqlite3.OperationalError: something else is wrong.
        """
        connection.execute("PRAGMA busy_timeout = 0")
        try:
            if _has_begun(connection):
                return True
            self._say(fcntl.LOCK_SH)
            try:
                return _wait(lambda: _has_begun(connection), timeout_s)
            finally:
                self._say(fcntl.LOCK_UN)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT_S * 1000)}")

    def _is_someone_waiting(self) -> bool:
        file = self._opened()
        if file is None:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        fcntl.flock(file, fcntl.LOCK_UN)
        return False

    def _say(self, operation: int) -> None:
        file = self._opened()
        if file is not None:
            fcntl.flock(file, operation)

    def _opened(self) -> int | None:
        if self._file is None:
            try:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError:  # full or read-only: turns are less fair, and nothing else
                return None
        return self._file


def _has_begun(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if is_lock_text(str(error)):
            return False
        raise
    return True


def _wait(has_begun: Callable[[], bool], timeout_s: float) -> bool:
    asked_s = time.monotonic()
    while not has_begun():
        waited_s = time.monotonic() - asked_s
        if waited_s >= timeout_s:
            return False
        time.sleep(pause_s(waited_s))
    return True


def pause_s(waited_s: float) -> float:
    """Return how long to wait until the next look."""
    if waited_s >= LONG_WAIT_S:
        return LONG_PAUSE_S
    return next(pause for least, pause in PAUSES if waited_s >= least)


def is_lock_text(text: str) -> bool:
    """Tell whether SQLite refused because somebody else holds a lock."""
    return "database is locked" in text or "database table is locked" in text
