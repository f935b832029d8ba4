"""Step: let queued dag runs begin, as far as ``max_active_runs`` allows."""

from __future__ import annotations

from ..sdk.clock import Clock
from .step import Store, Tick


class StartQueuedRuns:
    """Counted and started in one transaction of the store."""

    name = "start queued runs"

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def run(self, tick: Tick) -> None:
        """Start what may start; their first task instances are queued in the same transaction."""
        tick.add(self._store.runs.start_queued(tick.now, self._clock))
