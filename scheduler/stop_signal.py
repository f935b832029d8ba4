"""SIGTERM and SIGINT as something that a loop can wait for."""

from __future__ import annotations

import contextlib
import os
import signal
from types import FrameType

from ..sdk.clock import Clock, WallClock

#: Two signals within this time are one wish: a terminal and a supervisor may both send theirs.
ONE_WISH_S = 0.3


class StopSignal:
    """Counts requests to stop; ``fileno()`` is readable after one. Main thread only."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.count = 0
        self._clock = clock or WallClock()
        self._last_s = float("-inf")
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        # Without a handler of Python's, the wake-up descriptor is not written to.
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def fileno(self) -> int:
        """Readable after any signal, an ended child among them."""
        return self._read

    def drain(self) -> None:
        """Forget the wake-ups so far; ``count`` stays."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read, 512):
                pass

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        now_s = self._clock.monotonic()
        if now_s - self._last_s > ONE_WISH_S:
            self.count += 1
        self._last_s = now_s
