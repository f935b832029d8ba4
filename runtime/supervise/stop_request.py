"""A wish that a loop may end, which wakes it: from a signal, or from another thread."""

from __future__ import annotations

import contextlib
import signal
import socket


class StopRequest:
    """Readable by ``fileno`` once it was made."""

    def __init__(self) -> None:
        """Prepare; nothing is asked for yet."""
        self.is_made = False
        self._woken, self._waker = socket.socketpair()
        for end in (self._woken, self._waker):
            end.setblocking(False)

    def fileno(self) -> int:
        """Readable after the request, and after any signal where signals are listened to."""
        return self._woken.fileno()

    def make(self) -> None:
        """Ask the loop to end; it is woken. Safe from any thread."""
        self.is_made = True
        with contextlib.suppress(BlockingIOError):
            self._waker.send(b"\0")

    def listen_to_signals(self) -> None:
        """Take SIGTERM and SIGINT for a request. Main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self.make())
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)

    def ignore_signals(self) -> None:
        """Let signals wake nobody any more: the loop has ended. Main thread only."""
        signal.set_wakeup_fd(-1)
