"""Who uses a thing together with others on this machine, told by the kernel."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class SharedUse:
    """Each user holds the file's lock together with the others; it falls when one dies."""

    def __init__(self, path: Path) -> None:
        """Args: path: of the file; it is made when somebody begins."""
        self._path = path
        self._file: int | None = None

    def begin(self) -> None:
        """Be one of the users."""
        if self._file is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_SH)

    def end(self) -> bool:
        """Be none any more; return whether this was the last one."""
        if self._file is None:
            return True
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_last = True
        except BlockingIOError:
            is_last = False
        os.close(self._file)
        self._file = None
        return is_last
