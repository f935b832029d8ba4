"""Which logs a runner has opened: its successor ends those that it could not end itself.

The database tells a successor of the attempts that a dead runner still held, but not of those that
were taken from it while it hung, because its lease was over (``spec/reliability.md``, G-U3).
"""

from __future__ import annotations

import os
from pathlib import Path

#: The note is emptied when it is longer than this and no log is open.
BYTES_MAX = 1024 * 1024
#: Enough for the last line of a log, whose length is bounded.
_LAST_BYTES = 4096
_VERDICTS = (b"Task ended:", b"Given back:")


class OpenLogs:
    """The note of one runner slot."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._length = os.fstat(self._file).st_size

    def note(self, log_path: str) -> None:
        """Say that a log, by its path below the log folder, is about to be opened."""
        try:
            self._length += os.write(self._file, os.fsencode(log_path) + b"\n")
        except OSError:  # a full disk: that log may stay without its last line
            return

    def take_left(self, log_folder: Path) -> list[str]:
        """Return the noted logs that lack their last line, and forget all."""
        noted = dict.fromkeys(self._path.read_bytes().split(b"\n"))
        self.empty()
        paths = [os.fsdecode(path) for path in noted if path]
        return [path for path in paths if _lacks_verdict(log_folder / path)]

    def shorten(self) -> None:
        """Empty a long note. Called while no log is open."""
        if self._length > BYTES_MAX:
            self.empty()

    def empty(self) -> None:
        """Forget all."""
        os.ftruncate(self._file, 0)
        self._length = 0

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _lacks_verdict(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LAST_BYTES))
            lines = file.read().rstrip().splitlines()
    except OSError:  # it was never made, or has been removed
        return False
    return not lines or not any(word in lines[-1] for word in _VERDICTS)
