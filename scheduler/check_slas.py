"""Step: see which tasks are later than their ``sla`` allows (Airflow 2)."""

from __future__ import annotations

from ..sdk.clock import Clock
from .step import Store, Tick

#: SLAs are minutes or hours: a look a minute is enough, and costs nothing without them.
INTERVAL_S = 60.0


class CheckSlas:
    """A look every minute, in sweeps."""

    name = "check SLAs"

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._next_s = float("-inf")

    def run(self, tick: Tick) -> None:
        """Look, where it is time."""
        now_s = self._clock.monotonic()
        if not tick.is_sweep or now_s < self._next_s:
            return
        self._next_s = now_s + INTERVAL_S
        self._store.slas.check(tick.now)
