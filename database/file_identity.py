"""Is the SQLite file that we have open still the one that its path names?

A file that was deleted goes on to exist for whoever has it open: a service would work on for days
in a database that nobody else sees, and lose it all when it ends. So it is with the log beside it
(``-wal``), which lives as long as anybody has the database open; and a file that was emptied is
as good as deleted, but SQLite takes it for locked.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

#: So often the file is looked at.
LOOK_INTERVAL_S = 1.0


class FileIdentity:
    """The files that this process opened first. Safe for threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        log = path.with_name(f"{path.name}-wal")
        self._files: tuple[_File, ...] = (_File(path), _File(log))
        self._next_s = 0.0

    def note(self) -> None:
        """Remember the files, as they were just opened; the first time counts."""
        for file in self._files:
            file.note()

    def forget(self) -> None:
        """Forget them: nobody here has the database open any more."""
        self._files = tuple(_File(file.path) for file in self._files)

    def is_gone(self) -> bool:
        """Tell whether a path names no file, an emptied, or another one, by now.

        To be asked while a connection is open, which keeps the log where it is.
        """
        now_s = time.monotonic()
        if now_s < self._next_s:
            return False
        self._next_s = now_s + LOOK_INTERVAL_S
        if not any(file.is_gone() for file in self._files):
            return False
        self._next_s = 0.0  # whoever asks again is told again
        return True


class _File:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: tuple[int, int] | None = None
        self._is_log = path.name.endswith("-wal")  # SQLite itself cuts it
        self._has_content = False

    def note(self) -> None:
        if self._known is None:
            self._known = self._look()

    def is_gone(self) -> bool:
        return self._known is not None and self._look() != self._known

    def _look(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.path)  # noqa: PTH116 - asked every second
        except FileNotFoundError:
            return None
        except OSError:
            return self._known  # a disk that does not answer is no evidence
        if self._has_content and not found.st_size:
            return None
        self._has_content = found.st_size > 0 and not self._is_log
        return (found.st_dev, found.st_ino)
