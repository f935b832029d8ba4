"""Leases of runners: who lives, and what becomes of the tries of one that does not."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, text, update

from .event_writes import Event, write_events
from .locking import Locking
from .operations import Operations
from .results import ResultWriter
from .settle import Settling
from .tables import attempt, worker
from .tables.runs import LIVE_ATTEMPT
from .values import AttemptResult, WorkerIdentity, WorkerRow

_RENEW = (
    update(worker)
    .where(worker.c.id == bindparam("held_id"), worker.c.state == "alive")
    .values(
        renewed_at=bindparam("now", type_=worker.c.renewed_at.type),
        lease_until_at=bindparam("until", type_=worker.c.lease_until_at.type),
    )
)

_LIVE = select(
    attempt.c.task_instance_id, attempt.c.epoch, attempt.c.claim_id, attempt.c.started_at
).where(text(f"attempt.{LIVE_ATTEMPT}"), attempt.c.worker_id == bindparam("worker_id"))

_REBASE = (
    update(worker)
    .where(text("worker.state = 'alive'"))
    .values(lease_until_at=bindparam("until", type_=worker.c.lease_until_at.type))
)
_NEWEST_FIRST = select(worker).order_by(worker.c.started_at.desc())
_ALIVE = _NEWEST_FIRST.where(text("worker.state = 'alive'"))
_IN_STATES = _NEWEST_FIRST.where(worker.c.state.in_(bindparam("states", expanding=True))).limit(
    1000
)


class WorkerOperations(Operations):
    """``store.workers``: one row per incarnation of a runner."""

    def register(self, identity: WorkerIdentity, now: datetime) -> None:
        """Begin a lease. Registering the same incarnation again renews it."""
        values = {
            "host": identity.host,
            "boot_id": identity.boot_id,
            "pid": identity.pid,
            "pid_started_at": identity.pid_started_at,
            "executor": identity.executor,
            "queues": list(identity.queues),
            "slots": identity.slots,
            "log_url": identity.log_url,
            "state": "alive",
            "renewed_at": now,
            "lease_until_at": self._until(now),
            "stopped_at": None,
            "reason": "",
        }
        with self._database.write() as connection:
            known = connection.execute(
                update(worker).where(worker.c.id == identity.id).values(values)
            )
            if known.rowcount == 0:
                connection.execute(worker.insert().values(id=identity.id, started_at=now, **values))

    def renew(self, worker_id: str, now: datetime) -> bool:
        """Prolong a lease. False: it is over, all attempts are lost; kill them and start anew."""
        with self._database.write(Locking.NONE) as connection:
            renewed = connection.execute(
                _RENEW, {"held_id": worker_id, "now": now, "until": self._until(now)}
            )
            return renewed.rowcount == 1

    def stop(self, worker_id: str, now: datetime, reason: str) -> None:
        """End a lease in order. What it still held is lost, and follows the retry rule."""
        self._end([worker_id], "stopped", now, reason)

    def declare_dead(self, worker_id: str, now: datetime, reason: str) -> bool:
        """End a lease on evidence that its process is gone. False: it was not alive any more."""
        return bool(self._end([worker_id], "lost", now, reason))

    def expire(self, leases: Mapping[str, datetime], now: datetime) -> builtins.list[str]:
        """End leases that ran out more than a tenth of their length ago; return the workers.

        The caller makes sure that it has itself been awake for a whole lease (R4).

        Args:
            leases: whose, and until when each was given when it was judged: one that was renewed
                since then goes on.
        """
        before = now - timedelta(seconds=self._settings.lease_s * 0.1)
        over = {id_: until_at for id_, until_at in leases.items() if until_at < before}
        return self._end(list(over), "lost", now, "its lease ran out", over) if over else []

    def rebase_leases(self, now: datetime) -> None:
        """Give every lease a full length again: the judge slept, or the clock stepped."""
        with self._database.write() as connection:
            connection.execute(_REBASE, {"until": self._until(now)})

    def list(self, states: Sequence[str] = ("alive",)) -> builtins.list[WorkerRow]:
        """Return workers in these states, newest first: all that live, else a thousand."""
        if tuple(states) == ("alive",):
            return [_worker_row(row) for row in self._remembered.rows(_ALIVE)]
        with self._database.read() as connection:
            rows = connection.execute(_IN_STATES, {"states": list(states)}).all()
        return [_worker_row(row) for row in rows]

    def find(self, worker_id: str) -> WorkerRow | None:
        """Return one worker, alive or not; None if it is not known."""
        with self._database.read() as connection:
            row = connection.execute(select(worker).where(worker.c.id == worker_id)).first()
        return None if row is None else _worker_row(row)

    def _until(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self._settings.lease_s)

    def _end(
        self,
        ids: Sequence[str],
        state: str,
        now: datetime,
        reason: str,
        leases: Mapping[str, datetime] | None = None,
    ) -> builtins.list[str]:
        ended: builtins.list[str] = []
        with self._database.write() as connection:
            for worker_id in ids:
                until_at = None if leases is None else leases[worker_id]
                if self._end_one(connection, worker_id, state, now, reason, until_at):
                    ended.append(worker_id)
        if ended:
            self._ring("scheduler", "runner", "parser", "web")
        return ended

    def _end_one(
        self,
        connection: Connection,
        worker_id: str,
        state: str,
        now: datetime,
        reason: str,
        until_at: datetime | None,
    ) -> bool:
        statement = update(worker).where(worker.c.id == worker_id, worker.c.state == "alive")
        if until_at is not None:  # it may have renewed since it was looked at
            statement = statement.where(worker.c.lease_until_at == until_at)
        ended = connection.execute(statement.values(state=state, stopped_at=now, reason=reason))
        if ended.rowcount != 1:
            return False
        why = f"worker {'stopped' if state == 'stopped' else 'lost'}: {reason}"
        results = [
            # Whether user code had begun is known for sure only where the runner said so; to
            # start a task twice is worse than to use a try.
            AttemptResult(row.task_instance_id, row.epoch, row.claim_id, "lost", why, now)
            for row in connection.execute(_LIVE, {"worker_id": worker_id}).all()
        ]
        events = [Event(f"worker.{state}", "scheduler", detail={"id": worker_id, "reason": reason})]
        applied = ResultWriter(connection, self._versions, now, "scheduler").apply(results)
        settling = Settling(
            connection, self._versions, self._settings, now, "scheduler", is_careful=True
        )
        settling.settle(applied.touched, applied.touched)
        settling.queue_following(always=True)
        write_events(connection, [*events, *applied.events, *settling.events], now)
        return True


def _worker_row(row: Any) -> WorkerRow:
    values = dict(row._mapping)
    values["queues"] = tuple(values["queues"] or ())
    return WorkerRow(**values)
