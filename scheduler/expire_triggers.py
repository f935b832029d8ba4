"""Step: end deferrals whose timeout is over, also where no triggerer is left to do it."""

from __future__ import annotations

from ..sdk.clock import Clock
from .step import Store, Tick


class ExpireTriggers:
    """A look every ``[scheduler] trigger_timeout_check_interval`` seconds."""

    name = "expire triggers"

    def __init__(self, store: Store, clock: Clock, interval_s: float) -> None:
        self._store = store
        self._clock = clock
        self._interval_s = interval_s
        self._next_s = float("-inf")

    def run(self, tick: Tick) -> None:
        """Look in sweeps only: a living triggerer is faster anyway."""
        now_s = self._clock.monotonic()
        if not tick.is_sweep or now_s < self._next_s:
            return
        self._next_s = now_s + self._interval_s
        if self._store.triggers.expire(tick.now):
            tick.changed = True
