"""Step: find workers that are dead, by evidence first and by time last.

A runner on this machine whose process is gone is dead. Its successor says so first, within a
second, because it knows from the journal which tries had begun; only where none comes does the
scheduler declare it. A runner elsewhere is dead when its lease is over, if the judge was awake
all the while. The tries that it ran are then lost, and follow the retry rule.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from ..database.values import WorkerRow
from ..sdk.clock import Clock
from .lease_judge import LeaseJudge
from .step import Store, Tick

log = logging.getLogger(__name__)

#: How long a dead runner's successor has to judge what it left.
SUCCESSOR_GRACE_S = 10.0


class ReapWorkers:
    """``is_gone`` says whether a worker of this machine has certainly ended."""

    name = "reap workers"

    def __init__(
        self,
        store: Store,
        clock: Clock,
        judge: LeaseJudge,
        is_gone: Callable[[WorkerRow], bool],
    ) -> None:
        self._store = store
        self._clock = clock
        self._judge = judge
        self._is_gone = is_gone
        self._interval_s = 1.0
        self._next_s = 0.0
        self._gone_since_s: dict[str, float] = {}

    def run(self, tick: Tick) -> None:
        """Look about once a second; the cost is one small query."""
        now_s = self._clock.monotonic()
        if now_s < self._next_s and not tick.is_sweep:
            return
        self._next_s = now_s + self._interval_s
        workers = self._store.workers.list()
        self._declare_gone(workers, tick, now_s)
        if not self._judge.tick(tick.now, now_s):
            self._store.workers.rebase_leases(tick.now)
            return
        overdue = self._judge.overdue({one.id: one.lease_until_at for one in workers}, now_s)
        if not overdue:
            return
        for worker_id in self._store.workers.expire(overdue, tick.now):
            log.warning("runner %s was silent for longer than its lease", worker_id)
            tick.changed = True

    def _declare_gone(self, workers: Sequence[WorkerRow], tick: Tick, now_s: float) -> None:
        gone = [worker for worker in workers if self._is_gone(worker)]
        since = {worker.id: self._gone_since_s.get(worker.id, now_s) for worker in gone}
        self._gone_since_s = since
        for worker in gone:
            if now_s - since[worker.id] < SUCCESSOR_GRACE_S:
                continue
            log.warning("runner %s (pid %d) has died", worker.id, worker.pid)
            self._store.workers.declare_dead(worker.id, tick.now, "its process is gone")
            tick.changed = True
