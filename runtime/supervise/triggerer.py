"""The triggerer: claims triggers, has them run, and lets their tasks go on.

It holds a lease like a runner. What a dead one watched is claimed by another and started anew
from its arguments, so for a moment two copies of a trigger may run; the first event wins, since
a task instance goes on by compare-and-set.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from ...database.store import Store
from ...database.values import ClaimedTrigger, TriggerFired, WorkerIdentity, WorkerRow
from ...sdk.clock import Clock, next_round_s
from ..task.run_trigger import TriggerReport
from .outages import DATABASE_AWAY, Backoff
from .processes import Reply
from .requests import answer
from .trigger_process import Heard, TriggerProcess
from .watcher_desk import WatcherDesk

log = logging.getLogger(__name__)

#: A process without triggers is ended after this long: it costs memory.
IDLE_S = 60.0
#: Without anything to watch, somebody rings where something is to be done; this is the safety.
IDLE_SWEEP_S = 5.0
#: Within a second, when it looks and writes without being rung (``next_round_s``).
PHASE_S = 0.75


@dataclass(frozen=True, slots=True)
class TriggererSettings:
    """``capacity``: triggers at once. Lengths of time in seconds."""

    capacity: int = 1000
    heartbeat_s: float = 5.0
    sweep_s: float = 1.0


class Triggerer:
    """One pass is ``turn``: listen, write what was heard, look for more."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        process: TriggerProcess,
        make_identity: Callable[[], WorkerIdentity],
        settings: TriggererSettings,
        is_dead: Callable[[WorkerRow, WorkerIdentity], bool] = lambda _row, _own: False,
    ) -> None:
        """Prepare.

        Args:
            is_dead: whether a triggerer's process is proven to be gone.
        """
        self._store = store
        self._clock = clock
        self._process = process
        self._make_identity = make_identity
        self._settings = settings
        self._is_dead = is_dead
        self._identity = make_identity()
        self._has_looked = False
        self._is_in_doubt = False
        self._running: dict[int, ClaimedTrigger] = {}
        self._watchers = WatcherDesk(store, process)
        self._fired: list[TriggerFired] = []
        self._errors: dict[int, str] = {}
        self._backoff = Backoff(clock)
        self._beat_s = float("-inf")
        self._busy_s = clock.monotonic()
        self._restart_s = float("-inf")

    def start(self) -> None:
        """Begin the lease, and end those of dead predecessors: what they watched is free then."""
        now = self._clock.now()
        self._store.workers.register(self._identity, now)
        for row in self._store.workers.list():
            if row.executor == self._identity.executor and self._is_dead(row, self._identity):
                self._store.workers.declare_dead(row.id, now, "its process is gone")

    @property
    def running(self) -> frozenset[int]:
        """Ids of the triggers that run."""
        return frozenset(self._running)

    def turn(self) -> None:
        """Do what is to be done now; wait for news, a bell or the next sweep."""
        self._take(self._process.wait(self._wait_s()))
        if not self._backoff.is_over():
            return
        try:
            self._beat()
            self._write()
            self._watch()
            self._backoff.succeed()
        except DATABASE_AWAY:
            log.warning("the database is away; what fired is kept until it is back")
            self._is_in_doubt = True
            self._backoff.fail()

    def close(self) -> None:
        """End the lease; others may have the triggers at once."""
        self._process.stop()
        try:
            self._write()
            self._store.triggers.release(self._identity.id)
            self._store.watchers.release(self._identity.id)
            self._store.workers.stop(self._identity.id, self._clock.now(), "it was stopped")
        except DATABASE_AWAY:
            log.warning("the database is away; the lease runs out by itself")

    # --- listening ---------------------------------------------------------------------------

    def _wait_s(self) -> float:
        if not self._backoff.is_over():
            return max(0.0, self._backoff.due - self._clock.monotonic())
        if not self._has_looked:
            self._has_looked = True
            return 0.0
        is_idle = not (self._running or self._watchers.is_needed)
        now_s = self._clock.monotonic()
        sweep_s = IDLE_SWEEP_S if is_idle else self._settings.sweep_s
        return next_round_s(now_s, sweep_s, PHASE_S) - now_s

    def _take(self, heard: Heard) -> None:
        for report in heard.reports:
            self._note(report)
        for said in heard.watched:
            self._watchers.note(said)
        for method, arguments in heard.asked:
            self._answer(method, arguments)
        if heard.has_died:
            count = len(self._running) + self._watchers.count
            log.warning("the process of %d triggers has died; they begin again", count)
            self._restart_s = self._clock.monotonic() + self._settings.sweep_s

    def _note(self, report: TriggerReport) -> None:
        if report.error:
            self._errors[report.trigger_id] = report.error
            return
        self._fired.append(
            TriggerFired(report.trigger_id, report.payload, report.state, report.xcoms)
        )

    def _answer(self, method: str, arguments: object) -> None:
        try:
            given = arguments if isinstance(arguments, dict) else {}
            reply = answer(method, given, self._store, None, self._clock.now())
        except DATABASE_AWAY as error:
            reply = Reply(error=f"the database is away: {error}")
        self._process.answer(reply)

    # --- writing -----------------------------------------------------------------------------

    def _beat(self) -> None:
        now_s = self._clock.monotonic()
        if now_s < self._beat_s:
            return
        now, identity = self._clock.now(), self._identity
        if not self._store.workers.renew(identity.id, now):
            log.warning("the lease is over: others have the triggers; beginning anew")
            self._process.stop()
            self._running.clear()
            self._fired.clear()
            self._errors.clear()
            self._watchers.forget()
            self._identity = identity = self._make_identity()
            self.start()
        name = f"triggerer-{identity.host}-{identity.pid}"
        self._store.processes.beat("triggerer", name, identity.host, identity.pid, now)
        self._beat_s = next_round_s(now_s, self._settings.heartbeat_s, PHASE_S)

    def _write(self) -> None:
        """Tell the store what fired and what failed; kept where it cannot be told now."""
        now = self._clock.now()
        if self._fired:
            self._store.triggers.fire(self._fired, now)
            for one in self._fired:
                self._running.pop(one.trigger_id, None)
            self._fired = []
        if self._errors:
            self._store.triggers.fail(self._errors, now)
            for trigger_id in self._errors:
                self._running.pop(trigger_id, None)
            self._errors = {}
        self._watchers.write(self._identity.id, now)

    def _watch(self) -> None:
        """Stop what nobody waits for any more, and begin what is new."""
        now, now_s = self._clock.now(), self._clock.monotonic()
        self._store.triggers.expire(now)
        if self._is_in_doubt:  # a claim may have been committed although its answer was lost
            self._store.triggers.release(self._identity.id, keep=self._running)
            self._watchers.release_unknown(self._identity.id)
            self._is_in_doubt = False
        held = self._store.triggers.held(self._identity.id) if self._running else set()
        for trigger_id in self._running.keys() - held:
            trigger = self._running.pop(trigger_id)
            is_late = trigger.timeout_at is not None and trigger.timeout_at <= now
            self._process.cancel(trigger_id, is_by_user=not is_late)
        if now_s < self._restart_s:
            return
        if self._restart_s > float("-inf"):
            self._restart_s = float("-inf")
            for trigger in self._running.values():
                self._process.run(trigger)
            self._watchers.begin_again()
        self._claim()
        room = self._settings.capacity - len(self._running)
        self._watchers.look(self._identity.id, room, now)
        if self._running or self._watchers.is_needed:
            self._busy_s = now_s
        elif now_s - self._busy_s > IDLE_S:
            self._process.stop()

    def _claim(self) -> None:
        room = self._settings.capacity - len(self._running)
        if room <= 0:
            return
        for trigger in self._store.triggers.claim(self._identity.id, room, self._clock.now()):
            self._running[trigger.id] = trigger
            if trigger.problem:
                self._errors[trigger.id] = trigger.problem
            else:
                self._process.run(trigger)
        if self._errors:
            self._write()
