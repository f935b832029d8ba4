"""The scheduler: one loop of small steps over the store.

Bells make it fast, computed timers let it sleep until something is due, and a sweep each second
makes it right. It keeps no truth of its own: kill it at any point, start another, and nothing
is lost or done twice. Plain blocking code: waiting is the caller's (``scheduler_main``, the
simulation).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from ..runtime.supervise.outages import DATABASE_AWAY, Backoff, first_line
from ..sdk.clock import Clock, next_round_s
from .quarantine import Quarantine
from .step import Step, Store, Tick

log = logging.getLogger(__name__)

#: While a tick lasts, nothing else is scheduled: longer ones are named in the log.
SLOW_TICK_S = 0.25


class Scheduler:
    """One actor. Call ``tick`` when a bell rang or ``wait_s`` has passed."""

    def __init__(
        self, store: Store, clock: Clock, steps: Sequence[Step], *, sweep_s: float = 1.0
    ) -> None:
        """Args: sweep_s: seconds between two looks at everything."""
        self._store = store
        self._clock = clock
        self._steps = steps
        self._sweep_s = sweep_s
        self._next_sweep_s = clock.monotonic()
        self._quarantine = Quarantine(clock)
        self._backoff = Backoff(clock)
        self._has_more = False
        self._ticked_at = datetime.min.replace(tzinfo=UTC)

    def tick(self) -> bool:
        """Run every step once; True if something changed, so that more may be due at once."""
        if not self._backoff.is_over():
            return False
        now_s = self._clock.monotonic()
        cpu_s = time.process_time()  # tells a slow tick from a machine that is busy
        is_sweep = now_s >= self._next_sweep_s
        if is_sweep:
            self._next_sweep_s = next_round_s(now_s, self._sweep_s)
        self._ticked_at = self._clock.now()
        tick = Tick(now=self._ticked_at, is_sweep=is_sweep, quarantine=self._quarantine)
        try:
            for step in self._steps:
                self._run(step, tick)
        except DATABASE_AWAY as error:
            self._wait_for_database(error)
            return False
        self._backoff.succeed()
        self._has_more = tick.changed
        took_s = self._clock.monotonic() - now_s
        if took_s > SLOW_TICK_S:
            cpu_ms = (time.process_time() - cpu_s) * 1000
            log.warning("slow tick: %.0f ms, %.0f ms of CPU", took_s * 1000, cpu_ms)
        return tick.changed

    def wait_s(self) -> float:
        """Return for how many seconds nothing is due unless a bell rings."""
        if not self._backoff.is_over():
            return max(0.0, self._backoff.due - self._clock.monotonic())
        if self._has_more:
            return 0.0
        until_sweep_s = max(0.0, self._next_sweep_s - self._clock.monotonic())
        try:
            due = [
                self._store.dags.next_due_at(),
                self._store.runs.next_timer_at(self._clock.now()),
            ]
        except DATABASE_AWAY as error:
            self._wait_for_database(error)
            return until_sweep_s
        except Exception:
            log.exception("the database cannot say what is due next")
            return until_sweep_s
        # What was due at the last tick and is still there cannot be done now (a held-back DAG, a
        # limit): it waits for a bell or a sweep, or the loop would spin.
        ahead = [at for at in due if at is not None and at > self._ticked_at]
        return min([until_sweep_s, *(self._until_s(at) for at in ahead)])

    def _wait_for_database(self, error: BaseException) -> None:
        self._backoff.fail()
        self._has_more = False
        log.warning("the database is away, the schedule waits: %s", first_line(error))

    def _until_s(self, at: datetime) -> float:
        return max(0.0, (at - self._clock.now()).total_seconds())

    def _run(self, step: Step, tick: Tick) -> None:
        if self._quarantine.is_held(step.name):
            return
        try:
            step.run(tick)
        except DATABASE_AWAY:
            raise  # no step is to blame, and none can do better
        except Exception:
            held_s = self._quarantine.hold(step.name)
            log.exception("scheduler: step '%s' failed, again in %.1f s", step.name, held_s)
        else:
            self._quarantine.release(step.name)
