"""Triggers: what deferred task instances wait for, who watches it, and how they go on.

A row exists as long as its task instance is deferred on it. What was cleared, marked or ended
otherwise points to no trigger any more; its row goes with the next look.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Integer,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    text,
    update,
)

from ..sdk.states import TaskInstanceState
from ..sdk.triggers import FAIL_METHOD, FAILURE_REASON, TIMEOUT_REASON
from . import state_writes
from .encryption import Cipher
from .errors import DatabaseError
from .event_writes import Event, describe, write_events
from .operations import Operations
from .settle import Settling
from .state_writes import HELD_COLUMNS, Move, held_from
from .tables import dag_run, task_instance, trigger, worker
from .trigger_encryption import decrypted
from .values import ClaimedTrigger, TriggerFired
from .xcom_writes import write_xcoms

_S = TaskInstanceState

_IS_WAITED_FOR = (
    (task_instance.c.id == trigger.c.task_instance_id)
    & (task_instance.c.trigger_id == trigger.c.id)
    & (task_instance.c.state == _S.DEFERRED.value)
)
_DELETE_ORPHANS = delete(trigger).where(
    ~exists(select(task_instance.c.id).where(_IS_WAITED_FOR).correlate(trigger))
)
_ANY = select(trigger.c.id).limit(1)
_FREE = or_(
    trigger.c.worker_id.is_(None),
    trigger.c.worker_id.not_in(select(worker.c.id).where(text("worker.state = 'alive'"))),
)
_FREE_IDS = (
    select(trigger.c.id).where(_FREE).order_by(trigger.c.id).limit(bindparam("most", type_=Integer))
)
_CLAIM = (
    update(trigger)
    .where(trigger.c.id == bindparam("held_id"), _FREE)
    .values(worker_id=bindparam("new_worker_id"))
)
_DETAILS = (
    select(
        trigger.c.id,
        trigger.c.class_path,
        trigger.c.kwargs,
        trigger.c.timeout_at,
        dag_run.c.dag_id,
        dag_run.c.run_id,
        task_instance.c.task_id,
        task_instance.c.map_index,
        task_instance.c.try_number,
        func.coalesce(dag_run.c.logical_date, dag_run.c.run_after).label("logical_date"),
    )
    .join(task_instance, _IS_WAITED_FOR)
    .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
    .where(trigger.c.id.in_(bindparam("ids", expanding=True)))
)
_HELD_IDS = (
    select(trigger.c.id)
    .join(task_instance, _IS_WAITED_FOR)
    .where(trigger.c.worker_id == bindparam("worker_id"))
)
_WAITING = (
    select(
        *HELD_COLUMNS,
        task_instance.c.next_kwargs,
        trigger.c.id.label("held_trigger_id"),
        dag_run.c.dag_id,
        dag_run.c.run_id,
    )
    .join(trigger, _IS_WAITED_FOR)
    .join(dag_run, dag_run.c.id == task_instance.c.dag_run_id)
    .where(trigger.c.id.in_(bindparam("ids", expanding=True)))
)
_LATE = select(trigger.c.id).where(
    trigger.c.timeout_at <= bindparam("now", type_=trigger.c.timeout_at.type)
)
_DELETE = delete(trigger).where(trigger.c.id.in_(bindparam("ids", expanding=True)))

_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _GoOn:
    """How one deferred task instance goes on: a change, and the XComs that come with it."""

    move: Move
    xcoms: Sequence[dict[str, Any]] = ()


class TriggerOperations(Operations):
    """``store.triggers``: for triggerers, and for whoever looks after their deadlines."""

    def claim(self, worker_id: str, limit: int, now: datetime) -> builtins.list[ClaimedTrigger]:
        """Give a triggerer up to *limit* triggers that no living one has, oldest first."""
        if not self._remembered.is_any(_ANY):
            return []
        with self._database.read() as connection:
            wanted = list(connection.execute(_FREE_IDS, {"most": max(limit, 0)}).scalars())
        if not wanted:
            return []
        with self._database.write() as connection:
            connection.execute(_DELETE_ORPHANS)
            taken = [
                id_
                for id_ in wanted
                if connection.execute(_CLAIM, {"held_id": id_, "new_worker_id": worker_id}).rowcount
            ]
            rows: builtins.list[Any] = []
            for ids in _in_parts(taken):
                rows.extend(connection.execute(_DETAILS, {"ids": ids}).all())
        return [_claimed(row, self._ground.cipher) for row in rows]

    def held(self, worker_id: str) -> set[int]:
        """Return the triggers that a triggerer still has to watch."""
        with self._database.read() as connection:
            return set(connection.execute(_HELD_IDS, {"worker_id": worker_id}).scalars())

    def release(self, worker_id: str, keep: Iterable[int] = ()) -> None:
        """Let triggerers have anew what one of them does not watch (any more), but for *keep*."""
        kept = list(keep)
        with self._database.write() as connection:
            held = connection.execute(_HELD_IDS, {"worker_id": worker_id}).scalars().all()
            for ids in _in_parts(sorted(set(held) - set(kept))):
                connection.execute(
                    update(trigger).where(trigger.c.id.in_(ids)).values(worker_id=None)
                )

    def fire(self, fired: Sequence[TriggerFired], now: datetime) -> int:
        """Let task instances go on whose triggers fired; return how many still waited."""
        by_id = {one.trigger_id: one for one in fired}

        def go_on(row: Any) -> _GoOn:
            return _after_event(row, by_id[row.held_trigger_id], now)

        return self._go_on(list(by_id), go_on, now)

    def fail(self, errors: dict[int, str], now: datetime) -> int:
        """Let task instances end in an error whose triggers failed: id → traceback."""

        def go_on(row: Any) -> _GoOn:
            told = {"error": FAILURE_REASON, "traceback": errors[row.held_trigger_id]}
            return _GoOn(_failure(row, told, now))

        return self._go_on(list(errors), go_on, now)

    def expire(self, now: datetime) -> int:
        """Let task instances end in a timeout that waited too long; return how many."""
        if not self._remembered.is_any(_ANY):
            return 0
        with self._database.read() as connection:
            ids = list(connection.execute(_LATE, {"now": now}).scalars())
        if not ids:
            return 0
        return self._go_on(
            ids, lambda row: _GoOn(_failure(row, {"error": TIMEOUT_REASON}, now)), now
        )

    def _go_on(self, ids: Sequence[int], go_on: Callable[[Any], _GoOn], now: datetime) -> int:
        with self._database.write() as connection:
            rows: builtins.list[Any] = []
            for some in _in_parts(ids):
                rows.extend(connection.execute(_WAITING, {"ids": some}).all())
            steps = {row.id: go_on(row) for row in rows}
            won = state_writes.write_moves(connection, [one.move for one in steps.values()])
            ids_won = {move.held.id for move in won}
            write_xcoms(connection, [x for id_ in ids_won for x in steps[id_].xcoms], now)
            for some in _in_parts(ids):
                connection.execute(_DELETE, {"ids": some})
            events = _events_of(rows, {move.held.id: move for move in won})
            self._follow_up(connection, won, events, now)
        if won:
            self._ring("runner", "scheduler", "web", "triggerer")
        return len(won)

    def _follow_up(
        self, connection: Connection, won: Sequence[Move], events: list[Event], now: datetime
    ) -> None:
        settling = Settling(
            connection, self._versions, self._settings, now, "triggerer", is_careful=True
        )
        ended = [move.held.dag_run_id for move in won if move.new is not _S.SCHEDULED]
        settling.settle(dict.fromkeys(ended))
        settling.queue_following(always=bool(won))
        write_events(connection, [*events, *settling.events], now)


def _claimed(row: Any, cipher: Cipher) -> ClaimedTrigger:
    problem, kwargs = "", "{}"
    try:
        kwargs = decrypted(row.kwargs, cipher)
    except DatabaseError as error:  # the key was changed: this trigger fails, others do not
        problem = str(error)
    return ClaimedTrigger(
        id=row.id,
        class_path=row.class_path,
        kwargs=kwargs,
        problem=problem,
        timeout_at=row.timeout_at,
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        try_number=row.try_number,
        logical_date=row.logical_date,
    )


def _after_event(row: Any, fired: TriggerFired, now: datetime) -> _GoOn:
    held = held_from(row)
    if not fired.state:
        known = json.loads(row.next_kwargs or "{}")
        known["event"] = json.loads(fired.payload)
        move = _scheduled(held, now, "its trigger fired", {"next_kwargs": json.dumps(known)})
        return _GoOn(move)
    move = Move(
        held,
        _S(fired.state),
        "ended by its trigger",
        {"ended_at": now, "due_at": None, **_NOTHING_NEXT, "trigger_id": None},
    )
    xcoms = [
        {
            "dag_run_id": held.dag_run_id,
            "task_id": held.task_id,
            "map_index": held.map_index,
            "key": key,
            "value": value,
            "length": length,
        }
        for key, (value, length) in fired.xcoms.items()
    ]
    return _GoOn(move, xcoms)


def _failure(row: Any, told: dict[str, str], now: datetime) -> Move:
    """It goes on in a process all the same: the error is raised there, and retried as any."""
    values = {"next_method": FAIL_METHOD, "next_kwargs": json.dumps(told)}
    return _scheduled(held_from(row), now, told["error"].lower(), values)


def _scheduled(held: Any, now: datetime, reason: str, values: dict[str, Any]) -> Move:
    made = state_writes.schedule(held, now, reason, is_new_try=False)
    return Move(held, made.new, reason, {**made.values, **values, "trigger_id": None})


_NOTHING_NEXT: dict[str, Any] = {"next_method": None, "next_kwargs": None}


def _events_of(rows: Sequence[Any], won: dict[int, Move]) -> list[Event]:
    changes: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        if row.id in won:
            changes.setdefault((row.dag_id, row.run_id), []).append(describe(won[row.id]))
    return [
        Event("state", "triggerer", dag_id, run_id, detail={"changes": lines})
        for (dag_id, run_id), lines in changes.items()
    ]


def _in_parts(ids: Iterable[int]) -> Iterable[builtins.list[int]]:
    known = list(ids)
    return (known[at : at + _IDS_AT_ONCE] for at in range(0, len(known), _IDS_AT_ONCE))
