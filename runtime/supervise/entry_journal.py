"""Which attempts have entered user code: noted by the task process itself, before it enters.

A runner that dies cannot say any more which of its tries were used. The journal can: a line is
written by the task process, in one piece, before the first line of user code; what the kernel
has taken survives the death of every process. An attempt without a line has not begun, and is
handed out again without using a try (``spec/reliability.md``, G-E6).
"""

from __future__ import annotations

import os
from pathlib import Path

#: The journal is emptied when it is longer than this and nothing runs.
BYTES_MAX = 1024 * 1024


class EntryJournal:
    """The journal of one runner slot."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._was_there = path.exists()
        self.descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def entered(self) -> set[str] | None:
        """Return the keys that were noted; None: there was no journal, so nothing is known."""
        if not self._was_there:
            return None
        return set(self._path.read_text(errors="replace").split())

    def empty(self) -> None:
        """Forget everything: no earlier attempt is in doubt any more."""
        os.ftruncate(self.descriptor, 0)
        self._was_there = True

    def shorten(self) -> None:
        """Empty a long journal. Called while nothing runs."""
        if os.fstat(self.descriptor).st_size > BYTES_MAX:
            self.empty()

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)
