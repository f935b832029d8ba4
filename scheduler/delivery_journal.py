"""Which callbacks have been called to their end: noted by the callback child itself.

A manager that dies between a child's last word and its own commit must not have the callbacks
called again (``spec/reliability.md``, G-U4). What the kernel has taken survives every process.
"""

from __future__ import annotations

import os
from pathlib import Path


class DeliveryJournal:
    """One file of the home; ``descriptor`` is handed to the children, who append to it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self.descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def keys(self) -> set[str]:
        """Return the keys of the deliveries that were noted."""
        return set(self._path.read_text(errors="replace").split())

    def has(self, key: str) -> bool:
        """Tell whether one delivery was noted."""
        return key in self.keys()

    def is_empty(self) -> bool:
        """Tell whether nothing is noted; cheaper than ``keys``."""
        return os.fstat(self.descriptor).st_size == 0

    def empty(self) -> None:
        """Forget everything. Called when all that was noted is in the store, too."""
        os.ftruncate(self.descriptor, 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)
