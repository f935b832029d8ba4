"""Is the SQLite file that we have open still the one that its path names?

A file that was deleted goes on to exist for whoever has it open: a service would work on for days
in a database that nobody else sees, and lose it all when it ends.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

#: So often the file is looked at.
LOOK_INTERVAL_S = 1.0


class FileIdentity:
    """The file that this process opened first. Safe for threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: tuple[int, int] | None = None
        self._next_s = 0.0

    def note(self) -> None:
        """Remember the file, as it was just opened; the first time counts."""
        if self._known is None:
            self._known = self._look()

    def is_gone(self) -> bool:
        """Tell whether the path names no file, or another one, by now."""
        now_s = time.monotonic()
        if self._known is None or now_s < self._next_s:
            return False
        self._next_s = now_s + LOOK_INTERVAL_S
        if self._look() == self._known:
            return False
        self._next_s = 0.0  # whoever asks again is told again
        return True

    def _look(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self.path)  # noqa: PTH116 - asked every second
        except FileNotFoundError:
            return (0, 0)
        except OSError:
            return self._known  # a disk that does not answer is no evidence
        return (found.st_dev, found.st_ino)
