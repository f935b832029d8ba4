"""Notices a trigger that blocks the event loop of all others, and ends its process.

A loop that is blocked cannot help itself: a thread watches it. The trigger whose code runs at that
moment is told to have failed, with the place where it stands; all others begin again in a new
process.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable

#: The thread looks so often. Where it comes later than three times this, it was stopped itself.
LOOK_S = 0.5
#: So much of the stack is told: where the trigger's own code stands.
FRAMES_TOLD = 8


class LoopWatch:
    """Watches the event loop of the thread that makes it."""

    def __init__(self, blocked_max_s: float, blame: Callable[[object, str], None]) -> None:
        """Begin to watch.

        Args:
            blocked_max_s: how long the loop may not come to its turn.
            blame: takes the asyncio task that blocks (None: not known) and what is told of it;
                must not return before that has left this process.
        """
        self._blocked_max_s = blocked_max_s
        self._blame = blame
        self._loop = asyncio.get_running_loop()
        self._thread_id = threading.get_ident()
        self._turn_s = time.monotonic()
        threading.Thread(target=self._watch, name="loop watch", daemon=True).start()

    def note_turn(self) -> None:
        """The loop says that it goes on."""
        self._turn_s = time.monotonic()

    def _watch(self) -> None:
        looked_s = time.monotonic()
        while True:
            time.sleep(LOOK_S)
            now_s = time.monotonic()
            if now_s - looked_s > 3 * LOOK_S:  # the machine slept, or has no time for anybody
                self._turn_s = now_s
            looked_s = now_s
            if now_s - self._turn_s > self._blocked_max_s:
                self._end()

    def _end(self) -> None:
        frame = sys._current_frames().get(self._thread_id)
        stack = "".join(traceback.format_stack(frame)[-FRAMES_TOLD:])
        text = f"It blocked all other triggers for {self._blocked_max_s:g} s, here:\n{stack}"
        self._blame(asyncio.current_task(self._loop), text)
        os._exit(1)
