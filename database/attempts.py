"""Attempts: queue, claim, finish. One transaction from a result to the next claim."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, func, or_, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from ..sdk.errors import TradewindError
from ..sdk.executor_names import LOCAL
from ..sdk.log_paths import task_log_path
from ..sdk.states import TaskInstanceState
from . import state_writes
from .claiming import Claimer
from .event_writes import Event, describe, write_events
from .locking import Locking
from .operations import Operations
from .prepared import LostRace
from .queueing import hints_of, queue_events, queue_scheduled
from .results import ResultWriter
from .row_locks import lock_dags_of_instances
from .settle import Settling
from .state_writes import held_from
from .tables import attempt, dag_run, task_instance
from .tables.runs import LIVE_ATTEMPT, OCCUPYING, SCHEDULED
from .trigger_encryption import encrypted
from .unclaimed import UNCLAIMED, find_overlooked, why_unclaimed
from .values import (
    Advanced,
    AttemptResult,
    AttemptRow,
    Claim,
    ClaimRequest,
    FencedAttempt,
    Finished,
    Outcome,
    Started,
)

log = logging.getLogger(__name__)

_BEGIN = (
    update(attempt)
    .where(
        attempt.c.task_instance_id == bindparam("held_id"),
        attempt.c.epoch == bindparam("held_epoch"),
        attempt.c.claim_id == bindparam("held_claim_id"),
        attempt.c.state == "claimed",
    )
    .values(
        state="running",
        started_at=bindparam("new_started_at", type_=attempt.c.started_at.type),
        pid=bindparam("new_pid"),
        hostname=bindparam("new_hostname"),
        log_path=bindparam("new_log_path"),
    )
)

_LIVE = (
    select(
        attempt,
        task_instance.c.epoch.label("epoch_now"),
        task_instance.c.state.label("now"),
        task_instance.c.task_id,
        task_instance.c.map_index,
        dag_run.c.dag_id,
        dag_run.c.run_id,
        func.coalesce(dag_run.c.logical_date, dag_run.c.run_after).label("logical_date"),
    )
    .join(task_instance, task_instance.c.id == attempt.c.task_instance_id)
    .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
    .where(text(f"attempt.{LIVE_ATTEMPT}"), attempt.c.worker_id == bindparam("worker_id"))
)

_FENCED = _LIVE.where(
    or_(task_instance.c.epoch != attempt.c.epoch, task_instance.c.state != "running")
)

_ANY_SCHEDULED = select(task_instance.c.id).where(text(f"task_instance.{SCHEDULED}")).limit(1)

_ANY_QUEUED = (
    select(task_instance.c.id)
    .where(text(f"task_instance.{OCCUPYING}"), task_instance.c.state == "queued")
    .limit(1)
)


class AttemptOperations(Operations):
    """``store.attempts``: how tries are handed out, and how they end."""

    def queue(self, now: datetime) -> Advanced:
        """Queue scheduled task instances under all limits, and tell runners."""
        if not self._remembered.is_any(_ANY_SCHEDULED):
            return Advanced(changed=False)
        with self._database.write_shortly(Locking.ROWS) as connection:
            queued = queue_scheduled(connection, self._versions, self._settings, now)
            write_events(connection, queue_events(queued, "scheduler"), now)
        if queued:
            self._ring("runner", "web")
        return Advanced(changed=bool(queued), hints=hints_of(queued))

    def claim(self, request: ClaimRequest, now: datetime) -> list[Claim]:
        """Give a runner what is queued for it, most urgent first. Durable when this returns."""
        if not self._remembered.is_any(_ANY_QUEUED):
            return []
        with self._database.write_shortly(Locking.ROWS) as connection:
            claims = Claimer(connection, self._versions, self._settings, request, now).claim()
            write_events(connection, _claim_events(claims, request.worker_id), now)
        if claims:
            self._ring("web")
        return claims

    def finish(
        self,
        results: Sequence[AttemptResult],
        now: datetime,
        claim: ClaimRequest | None = None,
        started: Sequence[Started] = (),
        *,
        tells_later: bool = False,
    ) -> Finished:
        """Apply results, decide what they touch, queue what follows, claim: one transaction.

        Args:
            claim: what the runner takes for itself in the same commit; ``limit`` counts the
                slots that these results free.
            started: attempts whose user code has begun, sent along to spare a commit.
            tells_later: the caller calls ``Finished.tell``, once what it claimed is on its way.

        Returns:
            Outcomes in the order of *results*; a fenced one changed nothing.
        """
        try:
            finished = self._finish(results, now, claim, started, is_trusting=True)
        except (TradewindError, SQLAlchemyError):
            raise
        except LostRace:
            finished = self._finish(results, now, claim, started)
        except Exception:
            # One run that cannot be decided must not keep the results of all others from
            # being stored: nothing of the first attempt was committed.
            log.exception("a result could not be followed up; its run is left alone for now")
            finished = self._finish(results, now, claim, started, is_careful=True)
        if not tells_later:
            finished.tell()
        return finished

    def _finish(
        self,
        results: Sequence[AttemptResult],
        now: datetime,
        claim: ClaimRequest | None,
        started: Sequence[Started],
        *,
        is_trusting: bool = False,
        is_careful: bool = False,
    ) -> Finished:
        actor = "runner" if claim is None else f"runner:{claim.worker_id}"
        with self._database.write_shortly(Locking.ROWS, is_trusting=is_trusting) as connection:
            lock_dags_of_instances(connection, {one.task_instance_id for one in results})
            self._begin(connection, started)
            hidden = [self._with_hidden_trigger(one) for one in results]
            applied = ResultWriter(connection, self._versions, now, actor).apply(hidden)
            settling = Settling(
                connection, self._versions, self._settings, now, actor, is_careful=is_careful
            )
            settling.settle(applied.touched, applied.touched)
            claimer = (
                None
                if claim is None
                else Claimer(connection, self._versions, self._settings, claim, now)
            )
            queued = settling.queue_following(always=bool(applied.outcomes), claimer=claimer)
            claims = [] if claimer is None else claimer.claim(settling.told)
            events = [*applied.events, *settling.events]
            events.extend(_claim_events(claims, claim.worker_id if claim else ""))
            write_events(connection, events, now)
        claimed = {(one.task_instance_id, one.epoch) for one in claims}
        hints = {
            executor: left
            for executor, some in hints_of(queued).items()
            if (left := [hint for hint in some if (hint[0], hint[1]) not in claimed])
        }
        is_for_others = self._is_for_others(hints, claim)
        concerned = {
            "web": events,
            "runner": hints,
            "scheduler": settling.concerns_scheduler or applied.has_asset_events or is_for_others,
            "parser": settling.has_callbacks or applied.has_callbacks,
            "triggerer": applied.has_triggers,
        }
        names = [name for name, is_concerned in concerned.items() if is_concerned]
        return Finished(
            outcomes=applied.outcomes,
            claims=claims,
            hints=hints,
            tell=partial(self._ring, *names),
        )

    def _is_for_others(
        self, hints: Mapping[str, Sequence[tuple[int, int, str]]], claim: ClaimRequest | None
    ) -> bool:
        """Whether something was queued that the caller does not hand on itself."""
        own = None if claim is None else claim.executor
        names = {self._settings.executors.resolve(name) for name in hints}
        return bool(names - {own, LOCAL})

    def _with_hidden_trigger(self, result: AttemptResult) -> AttemptResult:
        if not result.trigger:
            return result
        kwargs = encrypted(result.trigger.get("kwargs", "{}"), self._ground.cipher)
        return replace(result, trigger={**result.trigger, "kwargs": kwargs})

    def entered(self, started: Sequence[Started], now: datetime) -> None:
        """Note that user code of these attempts has begun. ``finish`` takes the same on its way."""
        if started:
            with self._database.write_shortly(Locking.ROWS) as connection:
                self._begin(connection, started)
            self._ring("web")

    def give_back(
        self,
        held: Iterable[tuple[int, int, str]],
        now: datetime,
        reason: str,
        *,
        has_died: bool = False,
    ) -> list[Outcome]:
        """Return claims whose user code never began: scheduled again, the try is not used.

        Args:
            held: task instance id, epoch and claim id of each.
            has_died: their runner died. One over which too many died fails as poison.
        """
        outcome = "lost" if has_died else "returned"
        results = [
            AttemptResult(id_, epoch, claim_id, outcome, reason, now, has_entered=False)
            for id_, epoch, claim_id in held
        ]
        return list(self.finish(results, now).outcomes)

    def expire_claims(self, now: datetime) -> int:
        """Take back what was queued too long while a runner had room; return how many.

        A wait because all runners are full, or because none listens, is not the task's fault:
        it stays queued (reliability, section 4).
        """
        if not self._remembered.is_any(_ANY_QUEUED):
            return 0
        before = now - timedelta(seconds=self._settings.claim_deadline_s)
        with self._database.read() as connection:
            if connection.execute(UNCLAIMED, {"before": before}).first() is None:
                return 0
        with self._database.write() as connection:
            rows = find_overlooked(connection, self._settings.executors, before)
            moves = state_writes.write_moves(
                connection,
                [
                    state_writes.take_back(
                        held_from(row),
                        "nobody claimed it in time: handed out again",
                        queue_count=row.queue_count + 1,
                    )
                    for row in rows
                ],
            )
            beside = {row.id: row for row in rows}
            write_events(
                connection,
                [
                    Event(
                        "state",
                        "scheduler",
                        beside[move.held.id].dag_id,
                        beside[move.held.id].run_id,
                        detail={"changes": [describe(move)]},
                    )
                    for move in moves
                ],
                now,
            )
        return len(moves)

    def overlooked(self, before: datetime) -> dict[str, list[tuple[int, int, str]]]:
        """Return what was queued before an instant, and not claimed though a runner has room.

        Returns:
            As ``Advanced.hints``: executor → (task instance id, epoch, queue), urgent first.
        """
        found: dict[str, list[tuple[int, int, str]]] = {}
        if not self._remembered.is_any(_ANY_QUEUED):
            return found
        with self._database.read() as connection:
            for row in find_overlooked(connection, self._settings.executors, before):
                found.setdefault(row.executor, []).append((row.id, row.epoch, row.queue))
        return found

    def why_unclaimed(self, executor_name: str, queue: str) -> str:
        """Say why nobody has claimed what is queued for this executor and queue."""
        with self._database.read() as connection:
            return why_unclaimed(connection, self._settings.executors, executor_name, queue)

    def find_fenced(self, worker_id: str) -> list[FencedAttempt]:
        """Return a runner's attempts whose task instance has moved on: to be killed."""
        with self._database.read() as connection:
            return [
                FencedAttempt(
                    row.task_instance_id,
                    row.epoch,
                    row.claim_id,
                    f"the task instance is {row.now} now",
                )
                for row in connection.execute(_FENCED, {"worker_id": worker_id}).all()
            ]

    def live(self, worker_id: str) -> list[AttemptRow]:
        """Return the attempts that a runner holds by the rows, each with the path of its log."""
        with self._database.read() as connection:
            return [
                replace(
                    attempt_row(row),
                    log_path=row.log_path or _log_path(row),
                )
                for row in connection.execute(_LIVE, {"worker_id": worker_id}).all()
            ]

    def _begin(self, connection: Connection, started: Sequence[Started]) -> None:
        if started:
            connection.execute(
                _BEGIN,
                [
                    {
                        "held_id": one.task_instance_id,
                        "held_epoch": one.epoch,
                        "held_claim_id": one.claim_id,
                        "new_started_at": one.started_at,
                        "new_pid": one.pid,
                        "new_hostname": one.hostname,
                        "new_log_path": one.log_path,
                    }
                    for one in started
                ],
            )


def _log_path(row: Any) -> str:
    return task_log_path(
        row.dag_id, row.run_id, row.task_id, row.map_index, row.try_number, row.logical_date
    )


def attempt_row(row: Any) -> AttemptRow:
    """Make the plain value of an attempt's row."""
    return AttemptRow(
        task_instance_id=row.task_instance_id,
        epoch=row.epoch,
        claim_id=row.claim_id,
        try_number=row.try_number,
        state=row.state,
        worker_id=row.worker_id,
        claimed_at=row.claimed_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        exit_code=row.exit_code,
        signal=row.signal,
        reason=row.reason,
        hostname=row.hostname,
        pid=row.pid,
        log_path=row.log_path,
        code_hash=row.code_hash,
        version_id=row.version_id,
    )


def _claim_events(claims: Sequence[Claim], worker_id: str) -> list[Event]:
    changes: dict[tuple[str, str], list[Any]] = {}
    for one in claims:
        changes.setdefault((one.dag_id, one.run_id), []).append(
            [
                one.task_instance_id,
                one.task_id,
                one.map_index,
                TaskInstanceState.QUEUED.value,
                TaskInstanceState.RUNNING.value,
                one.epoch,
                "",
            ]
        )
    return [
        Event("state", f"runner:{worker_id}", dag_id, run_id, detail={"changes": lines})
        for (dag_id, run_id), lines in changes.items()
    ]
