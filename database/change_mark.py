"""Has anybody written to the SQLite file since the last look?

SQLite keeps a number that is another one once any *other* connection has committed, of whatever
process (``PRAGMA data_version``). So a connection that never writes hears of all: a look costs
5 µs, where one statement that finds nothing costs a hundred.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from urllib.parse import quote

from .file_identity import FileIdentity


class ChangeMark:
    """Looks at one file. Safe for threads; never carried across a fork."""

    def __init__(self, path: Path, file: FileIdentity) -> None:
        """Prepare; the file is opened by the first look.

        Args:
            file: knows whether the path still names the file that was opened.
        """
        self._path = path
        self._file = file
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._openings = 0  # numbers of two connections say nothing about each other

    def look(self) -> tuple[int, int] | None:
        """Return what is equal to the last answer if nobody has written; None: it is not known."""
        with self._lock:
            if self._file.is_gone():
                self._close()
                return None
            try:
                if self._connection is None:
                    self._connection = self._open()
                (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error:  # locked, or away: whoever reads is told why
                self._close()
                return None
            return self._openings, version

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._close()

    def _open(self) -> sqlite3.Connection:
        self._openings += 1
        # Never the one who makes it; and a look that would have to wait is of no use.
        return sqlite3.connect(
            f"file:{quote(str(self._path))}?mode=rw",
            uri=True,
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
