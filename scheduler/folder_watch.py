"""Being told when something below a folder changes.

A thread waits for the system's events (it may: this process never forks) and wakes the parse
manager through a socket: on Linux for those of ``inotify.py``, elsewhere by ``watchfiles``. Events
are only a hint to look now: scans find every change, also where the system sends no events
(network folders, mounts into containers).
"""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from .inotify import Inotify

#: A burst of events is one: how long to wait for the next, and how long in all.
_STEP_MS = 30
_DEBOUNCE_MS = 250
#: How soon a thread that does not hear of it sees that it should stop.
_STOP_MS = 1000
#: What importing writes itself, else each parse would look like a change; and what git does.
_LEFT_OUT = frozenset({"__pycache__", ".git"})


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
        with contextlib.suppress(OSError):
            self._ours.send(b"!")

    def _watch(self) -> None:
        try:
            if sys.platform == "linux":
                self._watch_by_inotify()
            else:
                self._watch_by_watchfiles()
        except Exception as error:  # noqa: BLE001 - out of watches, folder gone: scans go on
            self.error = f"{type(error).__name__}: {error}"

    def _tell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._theirs.send(b"!")

    def _watch_by_inotify(self) -> None:
        with contextlib.closing(Inotify(self._folders, _LEFT_OUT)) as events:
            while not self._stopping.is_set():
                select.select([events.fileno(), self._theirs.fileno()], [], [])
                if not self._stopping.is_set() and events.read():
                    self._wait_for_quiet(events)
                    self._tell()

    def _wait_for_quiet(self, events: Inotify) -> None:
        deadline_s = time.monotonic() + _DEBOUNCE_MS / 1000
        while time.monotonic() < deadline_s:
            time.sleep(_STEP_MS / 1000)
            if not events.read():
                return

    def _watch_by_watchfiles(self) -> None:
        import watchfiles

        for _changes in watchfiles.watch(
            *self._folders,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_STOP_MS,
            stop_event=self._stopping,
            watch_filter=lambda _change, path: _LEFT_OUT.isdisjoint(Path(path).parts),
            raise_interrupt=False,
            ignore_permission_denied=True,
        ):
            self._tell()
