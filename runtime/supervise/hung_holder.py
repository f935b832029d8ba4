"""A runner that stands by notices when the one before it hangs.

A runner outlives the command that started it, and then nobody watches it any more. Where it hangs
(it was stopped, its disk does not answer) it keeps its place for ever, and its successor would wait
for ever. What proves it is not time alone: its lease was taken away, although it lives.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable

from ...database.store import Store
from .outages import DATABASE_AWAY
from .process_groups import process_started_at
from .runner_slot import RunnerSlot

log = logging.getLogger(__name__)

LOOK_INTERVAL_S = 2.0
#: A runner whose lease is over finds out by itself when it goes on, and begins a new one.
GRACE_S = 10.0


class HungHolder:
    """Looks at whoever has the slot; for a runner that waits for its place."""

    def __init__(self, slot: RunnerSlot, open_store: Callable[[], Store]) -> None:
        self._slot = slot
        self._open_store = open_store
        self._next_s = LOOK_INTERVAL_S
        self._lost_since_s: float | None = None

    def look(self, waited_s: float) -> None:
        """End the holder if it hangs; to be called again and again.

        Args:
            waited_s: for how long its successor has stood by.
        """
        if waited_s < self._next_s:
            return
        self._next_s = waited_s + LOOK_INTERVAL_S
        try:
            pid = self._lost_pid()
        except DATABASE_AWAY:
            pid = None  # nothing is proven
        if pid is None:
            self._lost_since_s = None
        elif self._lost_since_s is None:
            self._lost_since_s = waited_s
        elif waited_s - self._lost_since_s >= GRACE_S:
            log.error("the runner with pid %d hangs: it lost its lease and lives; killing it", pid)
            os.kill(pid, signal.SIGKILL)

    def _lost_pid(self) -> int | None:
        """Return the holder's pid if its newest incarnation is over although its process lives."""
        known = self._slot.remembered()
        pid = self._slot.holder()
        if not known or pid is None:
            return None
        store = self._open_store()
        try:
            worker = store.workers.find(known[-1])
        finally:
            store.close()
        if worker is None or worker.state != "lost" or worker.pid != pid:
            return None
        return pid if process_started_at(pid) == worker.pid_started_at else None
