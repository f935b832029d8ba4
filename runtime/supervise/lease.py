"""The lease of a runner: what its loop and its renewer know, and the renewer itself.

The loop renews the lease in its turns. Where a turn takes long (a slow database, a file system
that hangs), a thread with a connection of its own renews instead, but only while the loop has
made progress lately: a runner that hangs must not look alive. The thread never forks, signals a
task, or touches what the loop owns. Source: ``spec/reliability.md`` R4, section 3 "fence mode".
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ...sdk.clock import Clock
from .outages import DATABASE_AWAY

log = logging.getLogger(__name__)

#: A strict runner has killed its tasks so many seconds before its lease is over.
STRICT_MARGIN_S = 2.0


@dataclass(slots=True)
class Lease:
    """Plain values that the loop and its renewer share. Instants are of the steady clock."""

    worker_id: str = ""
    #: When the last renewal that the database confirmed was sent; None: there is no lease.
    sent_s: float | None = None
    #: When the loop last came round.
    progress_s: float = 0.0
    has_tasks: bool = False
    #: The database says that the lease is over.
    is_lost: bool = False

    def begin(self, worker_id: str, sent_s: float) -> None:
        """Note that an incarnation is registered."""
        self.worker_id, self.sent_s, self.is_lost = worker_id, sent_s, False

    def confirm(self, worker_id: str, sent_s: float) -> None:
        """Note that a renewal, sent at *sent_s*, was committed."""
        if worker_id == self.worker_id and self.sent_s is not None:
            self.sent_s = max(self.sent_s, sent_s)

    def silent_s(self, now_s: float) -> float:
        """Return how long ago the last confirmed renewal was sent; 0 without a lease."""
        return 0.0 if self.sent_s is None else now_s - self.sent_s


def strict_stop_after_s(lease_s: float) -> float:
    """Return after how much silence a strict runner begins to stop its tasks."""
    return 0.5 * lease_s


def strict_grace_s(lease_s: float, kill_grace_s: float) -> float:
    """Return the time between SIGTERM and SIGKILL that is left to a strict runner then."""
    left_s = lease_s - STRICT_MARGIN_S - strict_stop_after_s(lease_s)
    return max(0.0, min(kill_grace_s, left_s))


class Renewals(Protocol):
    """What the renewer asks of ``store.workers``."""

    def renew(self, worker_id: str, now: datetime) -> bool:
        """Prolong a lease; False: it is over."""


class LeaseRenewer:
    """Call ``look`` now and then, or ``start`` a thread that does."""

    def __init__(
        self,
        lease: Lease,
        open_workers: Callable[[], Renewals],
        clock: Clock,
        *,
        lease_s: float,
        heartbeat_s: float,
        on_dead_end: Callable[[], None] | None = None,
    ) -> None:
        """Prepare.

        Args:
            open_workers: connects to the database anew, the first time that it is needed.
            on_dead_end: strict mode: ends this process and all its tasks at once. Called where
                the lease is nearly over, and the loop is in no state to stop its tasks itself.
        """
        self._lease = lease
        self._open_workers = open_workers
        self._workers: Renewals | None = None
        self._clock = clock
        self._lease_s = lease_s
        self._heartbeat_s = heartbeat_s
        self._on_dead_end = on_dead_end
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look once every heartbeat, in a thread of its own."""
        threads = [threading.Thread(target=self._keep_looking, name="lease renewer", daemon=True)]
        if self._on_dead_end is not None:
            # Its own thread: the one that renews may itself wait for the database.
            threads.append(
                threading.Thread(target=self._keep_fencing, name="strict fence", daemon=True)
            )
        for thread in threads:
            thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._is_over.set()

    def look(self) -> None:
        """Renew in the loop's place where it is late, and has not been so for too long."""
        lease, now_s = self._lease, self._clock.monotonic()
        is_late = lease.silent_s(now_s) > 1.5 * self._heartbeat_s
        hangs = now_s - lease.progress_s > 2 * self._lease_s
        if not is_late or hangs or lease.is_lost:
            return
        worker_id = lease.worker_id
        if self._workers is None:
            self._workers = self._open_workers()
        if self._workers.renew(worker_id, self._clock.now()):
            lease.confirm(worker_id, now_s)
        elif worker_id == lease.worker_id:
            lease.is_lost = True

    def keep_fence(self) -> None:
        """Strict mode: leave nothing running when the lease ends, whatever the loop does."""
        lease, now_s = self._lease, self._clock.monotonic()
        is_at_end = lease.silent_s(now_s) >= self._lease_s - STRICT_MARGIN_S
        if is_at_end and lease.has_tasks and self._on_dead_end is not None:
            log.error("the lease ends and its tasks still run: the runner ends with them")
            self._on_dead_end()

    def _keep_looking(self) -> None:
        while not self._is_over.wait(self._heartbeat_s):
            try:
                self.look()
            except DATABASE_AWAY as error:
                log.warning("the lease could not be renewed", extra={"error": str(error)})
            except Exception:
                log.exception("the renewer of the lease failed")

    def _keep_fencing(self) -> None:
        while not self._is_over.wait(min(1.0, self._heartbeat_s / 5)):
            self.keep_fence()
