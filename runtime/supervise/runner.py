"""The runner: claims queued tries, owns their processes, writes their results.

One single-threaded loop, and plain blocking code against injected interfaces (store, clock,
processes, bells), so that the simulation can drive it. Each turn collects what happened, writes
all results of that turn and claims what follows in one transaction, and starts the claims.
Source: ``spec/reliability.md``, sections 2 to 5; architecture, section 3 "Run".
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ...database.values import Claim, ClaimRequest, Finished, Started, WorkerIdentity, WorkerRow
from ...sdk.clock import Clock, next_round_s
from ...sdk.log_paths import task_log_path
from . import requests
from .attempts_in_hand import PendingWrites, RunningAttempt, attempt_key
from .entry_journal import EntryJournal
from .hint_desk import HintDesk
from .lease import Lease, strict_grace_s, strict_stop_after_s
from .outages import DATABASE_AWAY, Backoff
from .processes import (
    Asked,
    BellRang,
    Event,
    Processes,
    TaskBegan,
    TaskEnded,
    TaskEntered,
    TaskExecuting,
    TaskOrder,
)
from .runner_settings import PHASE_S, RunnerSettings
from .spool import Spool
from .verdict import AttemptFacts, judge_end, unstorable, verdict_line, verdict_of_left

if TYPE_CHECKING:
    from ...database.store import Store

log = logging.getLogger(__name__)

#: Between SIGTERM and SIGKILL of a task whose runner is being shut down, in seconds.
STOP_GRACE_S = 1.0


class Runner:
    """One incarnation of a worker. Call ``start()``, then ``turn()`` until ``is_done``."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        processes: Processes,
        make_identity: Callable[[], WorkerIdentity],
        is_dead: Callable[[WorkerRow, WorkerIdentity], bool],
        spool: Spool,
        journal: EntryJournal | None,
        settings: RunnerSettings,
        desk: HintDesk | None = None,
    ) -> None:
        """Prepare; nothing is touched before ``start``.

        Args:
            make_identity: draws a new incarnation; asked again if this one is fenced.
            is_dead: whether a worker's process is proven to be gone.
            journal: which attempts of dead incarnations had entered user code.
            desk: who says what may be claimed; None: the runner looks for itself.
        """
        self._store = store
        self._clock = clock
        self._processes = processes
        self._make_identity = make_identity
        self._is_dead = is_dead
        self._spool = spool
        self._journal = journal
        self._settings = settings
        self._desk = desk
        self._identity = make_identity()
        self.lease = Lease()
        self._running: dict[str, RunningAttempt] = {}
        self._pending = PendingWrites()
        self._backoff = Backoff(clock)
        self._is_registered = False
        self._is_fenced = False
        self._is_in_doubt = False
        self._is_stopping = False
        self._stop_due = 0.0
        self._renew_due = 0.0
        self._sweep_due = 0.0
        self._fence_due = 0.0
        self._claim_is_due = True
        self._fences_are_due = False

    # -- what its owner sees ----------------------------------------------------------------------

    @property
    def worker_id(self) -> str:
        """The id of the present incarnation."""
        return self._identity.id

    @property
    def is_done(self) -> bool:
        """Whether the runner was asked to stop, and nothing is left to do."""
        return self._is_stopping and not self._running and not self._pending.results

    def start(self) -> None:
        """Take over what an earlier incarnation left on disk. The database may still be away."""
        self._pending.results.extend(self._spool.load())

    def request_stop(self) -> None:
        """Take no new work. Running tasks have the drain time; asked again, the shutdown grace."""
        now_s = self._clock.monotonic()
        # The last part of the grace is for what a task does on SIGTERM.
        left_alone_s = max(0.0, self._settings.shutdown_grace_s - STOP_GRACE_S)
        if not self._is_stopping:
            self._is_stopping = True
            self._stop_due = now_s + max(self._settings.drain_s, left_alone_s)
        else:
            self._stop_due = min(self._stop_due, now_s + left_alone_s)

    def turn(self) -> None:
        """Wait for something to do, do it, and write it down."""
        for event in self._processes.poll(self._wait_s()):
            self._take(event)
        now_s = self.lease.progress_s = self._clock.monotonic()
        self._keep_deadlines(now_s)
        if self._backoff.is_over():
            try:
                self._write(now_s)
                self._backoff.succeed()
            except DATABASE_AWAY as error:
                self._backoff.fail()
                self._is_in_doubt = True
                self._spool.save(self._pending.results)
                log.warning("the database is away, results wait", extra={"error": str(error)})
            except Exception:
                # One bad object must not stop the loop: it goes on, and tries again later.
                self._backoff.fail()
                log.exception("a turn of the runner failed")

    def close(self) -> None:
        """Give up the lease and the processes. Called once, after the last turn."""
        self._processes.stop()
        try:
            self._store.workers.stop(self.worker_id, self._clock.now(), "stopped")
        except DATABASE_AWAY:
            return  # the lease runs out by itself

    # -- events ---------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        if isinstance(event, BellRang):
            self._claim_is_due = True
            # At a desk rings tell of new work only; what was fenced is looked for in sweeps.
            self._fences_are_due = self._desk is None
        elif isinstance(event, Asked):
            self._pending.asked.append(event)
        elif isinstance(event, TaskEnded):
            self._end(event)
        else:
            running = self._running.get(event.key)
            if running is not None:
                self._note_progress(running, event)

    def _note_progress(
        self, running: RunningAttempt, event: TaskBegan | TaskEntered | TaskExecuting
    ) -> None:
        if isinstance(event, TaskBegan):
            running.pid = event.pid
        elif isinstance(event, TaskEntered):
            running.has_entered = True
            running.started_at = self._clock.now()
            running.deadline_due = float("inf")
        elif running.claim.execution_timeout_s is not None:
            # The task's own alarm comes first; this one is for code that does not heed it.
            limit_s = max(0.0, running.claim.execution_timeout_s)
            running.deadline_due = self._clock.monotonic() + limit_s + 1.0
            running.deadline_reason = f"execution_timeout of {limit_s:g} s is over"

    def _end(self, ended: TaskEnded) -> None:
        running = self._running.pop(ended.key, None)
        if running is None:
            return
        self._claim_is_due = True
        if ended.is_out_of_resources and not running.stopped_because:
            self._processes.close_log(ended.key, f"Given back: {ended.error}")
            self._pending.returned.append((running.claim, ended.error))
            return
        facts = AttemptFacts(
            claim=running.claim,
            ended_at=self._clock.now(),
            started_at=running.started_at,
            has_entered=running.has_entered,
            hostname=self._identity.host,
            log_path=running.log_path,
            stopped_because=running.stopped_because,
        )
        result = judge_end(facts, ended)
        self._processes.close_log(ended.key, verdict_line(result))
        self._pending.results.append(result)

    # -- deadlines ------------------------------------------------------------------------------

    def _keep_deadlines(self, now_s: float) -> None:
        for key, running in self._running.items():
            if running.deadline_due <= now_s and not running.stopped_because:
                self._stop_task(key, running, running.deadline_reason, self._settings.kill_grace_s)
            if running.kill_due is not None and running.kill_due <= now_s:
                self._processes.signal(key, signal.SIGKILL)
                # Again and again: a host may have been too busy to hear the first one.
                running.kill_due = now_s + self._settings.kill_grace_s
                running.is_killed = True
        if self._is_stopping and self._stop_due <= now_s:
            for key, running in self._running.items():
                self._stop_task(key, running, "stopped: its runner was shut down", STOP_GRACE_S)
        if self._is_fenced:
            for key, running in self._running.items():
                self._stop_task(key, running, "the lease of its runner was lost", 0.0)
        elif self._strict_due() <= now_s:
            grace_s = strict_grace_s(self._settings.lease_s, self._settings.kill_grace_s)
            for key, running in self._running.items():
                reason = "the lease of its runner could not be renewed (fence_mode = strict)"
                self._stop_task(key, running, reason, grace_s)
        self.lease.has_tasks = bool(self._running)

    def _strict_due(self) -> float:
        if not self._settings.is_strict or self.lease.sent_s is None:
            return float("inf")
        return self.lease.sent_s + strict_stop_after_s(self._settings.lease_s)

    def _stop_task(self, key: str, running: RunningAttempt, reason: str, grace_s: float) -> None:
        if running.stopped_because:
            return
        running.stopped_because = reason
        running.kill_due = self._clock.monotonic() + grace_s
        self._processes.note(key, f"Stopping the task: {reason}")
        self._processes.signal(key, signal.SIGTERM)

    def _wait_s(self) -> float:
        if self._pending.asked and self._backoff.is_over():
            return 0.0
        now_s = self._clock.monotonic()
        dues = [self._renew_due, self._sweep_due]
        if not self._backoff.is_over():
            dues = [self._backoff.due]
        for running in self._running.values():
            if not running.stopped_because:
                dues.extend((running.deadline_due, self._strict_due()))
            if running.kill_due is not None:
                dues.append(running.kill_due)
        if self._is_stopping and self._running:
            dues.append(max(self._stop_due, now_s + 0.05))
        wait_s = min(dues) - now_s
        # A microsecond more: a wait that rounding cut short would end just before its time.
        return wait_s + 1e-6 if wait_s > 0 else 0.0

    # -- the database ---------------------------------------------------------------------------

    def _write(self, now_s: float) -> None:
        """Everything that needs the database, in the order in which it matters."""
        self._keep_lease(now_s)
        if self._is_in_doubt:
            self._settle_doubt()
        is_sweep = self._sweep_due <= now_s
        if is_sweep:
            self._sweep_due = next_round_s(now_s, self._settings.sweep_s, PHASE_S)
            if self._journal is not None and not self._running:
                self._journal.shorten()
        if (self._fences_are_due or self._fence_due <= now_s) and self._running:
            self._fence_due = now_s + self._settings.fence_s
            self._stop_fenced()
        self._fences_are_due = False
        self._answer_requests()
        self._give_back()
        if self._pending.results or self._claim_is_due or is_sweep:
            self._finish_and_claim(is_sweep)
        if self._desk is not None:
            self._serve_desk(self._desk)

    def _keep_lease(self, now_s: float) -> None:
        now = self._clock.now()
        self._is_fenced = self._is_fenced or self.lease.is_lost
        if self._is_fenced and not self._running:
            self._identity = self._make_identity()
            self._is_registered = self._is_fenced = self.lease.is_lost = False
        if not self._is_registered:
            self._store.workers.register(self._identity, now)
            self._is_registered = True
            self.lease.begin(self.worker_id, now_s)
            self._bury_predecessors(now)
            self._renew_due = next_round_s(now_s, self._settings.heartbeat_s, PHASE_S)
        elif self._renew_due <= now_s and not self._is_fenced:
            self._renew_due = next_round_s(now_s, self._settings.heartbeat_s, PHASE_S)
            if not self._store.workers.renew(self.worker_id, now):
                log.error("the lease was lost; its tasks are stopped")
                self._is_fenced = True
            else:
                self.lease.confirm(self.worker_id, now_s)

    def _bury_predecessors(self, now: datetime) -> None:
        """End the leases of earlier incarnations that are proven dead; nobody need wait for them.

        What they had spooled is handed in first. Attempts that never entered user code go back
        without using a try.
        """
        dead = [row for row in self._store.workers.list() if self._is_dead(row, self._identity)]
        if dead and self._pending.results:
            self._store.attempts.finish(self._pending.results, now)
            self._spool.forget(self._pending.results)
            self._pending.results = []
        entered = self._journal.entered() if self._journal is not None else None
        for row in dead:
            unused = []
            for one in self._store.attempts.live(row.id):
                key = attempt_key(one.task_instance_id, one.epoch)
                has_begun = entered is None or key in entered
                if not has_begun:
                    unused.append((one.task_instance_id, one.epoch, one.claim_id))
                if one.log_path:  # before the rows: an attempt that has ended is not found again
                    self._processes.close_left_log(one.log_path, verdict_of_left(has_begun))
            if unused:
                reason = "its runner died before it began"
                self._store.attempts.give_back(unused, now, reason, has_died=True)
            self._store.workers.declare_dead(row.id, now, "its process is gone")
        # Those of attempts that were taken from them earlier: nothing of ours runs yet.
        self._processes.close_left_logs(verdict_of_left(has_begun=True))
        if self._journal is not None and not self._running:
            self._journal.empty()

    def _settle_doubt(self) -> None:
        """Give back claims of a commit whose answer was lost: no process was started for them."""
        held = set(self._running)
        held.update(attempt_key(one.task_instance_id, one.epoch) for one in self._pending.results)
        held.update(
            attempt_key(claim.task_instance_id, claim.epoch) for claim, _ in self._pending.returned
        )
        unknown = [
            (row.task_instance_id, row.epoch, row.claim_id)
            for row in self._store.attempts.live(self.worker_id)
            if attempt_key(row.task_instance_id, row.epoch) not in held
        ]
        if unknown:
            reason = "claimed while the database went away"
            self._store.attempts.give_back(unknown, self._clock.now(), reason)
        self._is_in_doubt = False

    def _stop_fenced(self) -> None:
        for fenced in self._store.attempts.find_fenced(self.worker_id):
            key = attempt_key(fenced.task_instance_id, fenced.epoch)
            running = self._running.get(key)
            if running is not None and running.claim.claim_id == fenced.claim_id:
                self._stop_task(key, running, fenced.reason, self._settings.kill_grace_s)

    def _answer_requests(self) -> None:
        while self._pending.asked:
            asked = self._pending.asked[0]
            running = self._running.get(asked.key) if asked.key is not None else None
            if asked.key is None or running is not None:
                scope = requests.scope_of(running.claim) if running is not None else None
                reply = requests.answer(
                    asked.method, asked.arguments, self._store, scope, self._clock.now()
                )
                self._processes.answer(asked.asker, reply)
            self._pending.asked.pop(0)  # only now: an outage above leaves it to be asked again

    def _give_back(self) -> None:
        while self._pending.returned:
            claim, reason = self._pending.returned[0]
            held = (claim.task_instance_id, claim.epoch, claim.claim_id)
            self._store.attempts.give_back([held], self._clock.now(), reason)
            self._pending.returned.pop(0)
            # The machine is exhausted: what was given back would only come at once again.
            self._sweep_due = self._clock.monotonic() + 5 * self._settings.sweep_s
            self._claim_is_due = False

    def _finish_and_claim(self, is_sweep: bool) -> None:
        now = self._clock.now()
        results = self._pending.results
        request = self._claim_request(len(results))
        self._claim_is_due = False
        started = self._starts_to_record(is_sweep)
        if results or started:
            try:
                finished = self._store.attempts.finish(
                    results, now, claim=request, started=started, tells_later=True
                )
            except DATABASE_AWAY:
                raise
            except Exception:
                log.exception("results cannot be stored together; trying one by one")
                self._claim_is_due = True
                self._finish_one_by_one(now)
                return
            for key in {attempt_key(start.task_instance_id, start.epoch) for start in started}:
                if key in self._running:
                    self._running[key].is_start_recorded = True
            self._spool.forget(results)
            self._pending.results = []
            if self._desk is not None:
                names = self._store.settings.executors.names_of(self._identity.executor)
                self._desk.pass_on(finished.hints, names)
        elif request is not None:
            finished = Finished((), self._store.attempts.claim(request, now))
        else:
            return
        for claim in finished.claims:
            self._begin(claim)
        self.lease.has_tasks = bool(self._running)
        finished.tell()  # now that what was claimed is on its way

    def _finish_one_by_one(self, now: datetime) -> None:
        """Find the result that the store refuses. Its attempt fails, naming the reason."""
        while self._pending.results:
            result = self._pending.results[0]
            try:
                self._store.attempts.finish([result], now)
            except DATABASE_AWAY:
                raise
            except Exception as error:
                log.exception("a result cannot be stored", extra={"dag_run": result.log_path})
                self._store.attempts.finish([unstorable(result, error)], now)
            self._spool.forget([result])
            self._pending.results.pop(0)

    def _serve_desk(self, desk: HintDesk) -> None:
        """Claim what forwarders wait for, as far as there is room."""
        request = None
        if not (self._is_stopping or self._is_fenced):
            request = self._request(self._settings.slots - len(self._running))
        for claim in desk.claim(self._store.attempts, request, self._clock.now()):
            self._begin(claim)

    def _claim_request(self, freed: int) -> ClaimRequest | None:
        free = self._settings.slots - len(self._running)
        if self._desk is not None:
            # One for each that has ended: a hop needs no message then, and other workers hear
            # of the rest at once. What has been asked for at the desk is claimed by name.
            free = min(free, freed)
        if free <= 0 or self._is_stopping or self._is_fenced:
            return None
        return self._request(free)

    def _request(self, limit: int) -> ClaimRequest:
        queues = self._desk.queues() if self._desk is not None else None
        return ClaimRequest(
            worker_id=self.worker_id,
            executor=self._identity.executor,
            limit=limit,
            queues=self._settings.queues if queues is None else queues,
        )

    def _starts_to_record(self, is_sweep: bool) -> list[Started]:
        # A short task's start goes with its result; only those that last cost a write.
        if not is_sweep:
            return []
        return [
            Started(
                task_instance_id=running.claim.task_instance_id,
                epoch=running.claim.epoch,
                claim_id=running.claim.claim_id,
                started_at=running.started_at,
                pid=running.pid,
                hostname=self._identity.host,
                log_path=running.log_path,
            )
            for running in self._running.values()
            if running.started_at is not None and not running.is_start_recorded
        ]

    def _begin(self, claim: Claim) -> None:
        key = attempt_key(claim.task_instance_id, claim.epoch)
        log_path = task_log_path(
            claim.dag_id,
            claim.run_id,
            claim.task_id,
            claim.map_index,
            claim.try_number,
            claim.logical_date,
        )
        limit_s = self._settings.entry_timeout_s
        self._running[key] = RunningAttempt(
            claim=claim,
            log_path=log_path,
            deadline_due=self._clock.monotonic() + limit_s,
            deadline_reason=f"its code did not begin within {limit_s:g} s",
        )
        try:
            self._processes.start(TaskOrder(key=key, claim=claim, log_path=log_path))
        except Exception as error:
            log.exception("a task could not be started", extra={"task_id": claim.task_id})
            del self._running[key]
            self._pending.returned.append((claim, str(error)))
