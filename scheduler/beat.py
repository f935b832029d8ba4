"""Step: show on the health page that this process lives."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from ..sdk.clock import Clock, next_round_s
from .step import Store, Tick

INTERVAL_S = 5.0


class Beat:
    """One row per kind of process and machine, written every few seconds."""

    name = "beat"

    def __init__(
        self, store: Store, clock: Clock, kind: str, on_beat: Callable[[], None] | None = None
    ) -> None:
        """Prepare.

        Args:
            kind: "scheduler" or "dag_processor".
            on_beat: called when a row has been written.
        """
        self._store = store
        self._clock = clock
        host, pid = socket.gethostname(), os.getpid()
        self._identity = (kind, f"{kind}-{host}-{pid}", host, pid)
        self._on_beat = on_beat
        self._next_s = float("-inf")

    def run(self, tick: Tick) -> None:
        """Write the row when it is time."""
        now_s = self._clock.monotonic()
        if now_s >= self._next_s:
            self._store.processes.beat(*self._identity, tick.now)
            self._next_s = next_round_s(now_s, INTERVAL_S)
            if self._on_beat is not None:
                self._on_beat()
