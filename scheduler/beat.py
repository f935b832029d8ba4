"""Step: show on the health page that this process lives."""

from __future__ import annotations

from ..sdk.clock import Clock
from .step import Store, Tick

INTERVAL_S = 5.0


class Beat:
    """One row per kind of process and machine, written every few seconds."""

    name = "beat"

    def __init__(
        self, store: Store, clock: Clock, *, kind: str, process_id: str, host: str, pid: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._identity = (kind, process_id, host, pid)
        self._next_s = float("-inf")

    def run(self, tick: Tick) -> None:
        """Write the row when it is time."""
        self.beat(tick)

    def beat(self, tick: Tick) -> None:
        now_s = self._clock.monotonic()
        if now_s >= self._next_s:
            self._store.processes.beat(*self._identity, tick.now)
            self._next_s = now_s + INTERVAL_S
