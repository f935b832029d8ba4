"""Being told when something below a folder changes.

``watchfiles`` waits in a thread of its own (it may: this process never forks) and wakes the
parse manager through a socket. Events are only a hint to look now: scans find every change,
also where the system sends no events (network folders, mounts into containers).
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence
from pathlib import Path

import watchfiles

#: A burst of events is one: how long to wait for the next, and how long in all.
_STEP_MS = 30
_DEBOUNCE_MS = 250
#: How soon the thread sees that it should stop.
_STOP_MS = 1000


class FolderWatcher:
    """Watches folders, recursively. ``fileno()`` is readable after a change."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = [folder for folder in folders if folder.is_dir()]
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.error = ""  # why events do not come; scans go on without

    def start(self) -> None:
        """Begin to watch."""
        if self._folders:
            self._thread = threading.Thread(target=self._watch, name="folder-watch", daemon=True)
            self._thread.start()

    def fileno(self) -> int:
        """Readable when something has changed."""
        return self._ours.fileno()

    def drain(self) -> bool:
        """Tell whether something changed since the last call."""
        has_changed = False
        with contextlib.suppress(BlockingIOError):
            while self._ours.recv(4096):
                has_changed = True
        return has_changed

    def stop(self) -> None:
        """Stop watching. The thread ends within a second; nobody waits for it."""
        self._stopping.set()

    def _watch(self) -> None:
        try:
            for _changes in watchfiles.watch(
                *self._folders,
                debounce=_DEBOUNCE_MS,
                step=_STEP_MS,
                rust_timeout=_STOP_MS,
                stop_event=self._stopping,
                watch_filter=_is_of_interest,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                with contextlib.suppress(BlockingIOError):
                    self._theirs.send(b"!")
        except Exception as error:  # noqa: BLE001 - out of watches, folder gone: scans go on
            self.error = f"{type(error).__name__}: {error}"


def _is_of_interest(_change: watchfiles.Change, path: str) -> bool:
    """Leave out what importing writes itself, else each parse would look like a change."""
    return "/__pycache__" not in path and "/.git/" not in path
