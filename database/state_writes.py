"""The only place that writes a state of a task instance or a dag run.

Every write is a compare-and-set on the state that the writer saw and on the fencing token
(epoch, claim): whoever comes too late changes nothing and is told so (``reliability.md`` R2).
``check_transition`` guards each change first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Update, bindparam, func, or_, update

from ..sdk.states import DagRunState, TaskInstanceState, check_transition
from .prepared import trusting
from .tables import attempt, dag_run, task_instance

_S = TaskInstanceState


@dataclass(frozen=True, slots=True)
class Held:
    """What a writer saw of one task instance: the left side of the compare-and-set."""

    id: int
    dag_run_id: int
    task_id: str
    map_index: int
    state: TaskInstanceState
    epoch: int
    claim_id: str | None
    try_number: int
    tries_max: int
    started_at: datetime | None
    first_started_at: datetime | None
    version_id: int


HELD_COLUMNS = (
    task_instance.c.id,
    task_instance.c.dag_run_id,
    task_instance.c.task_id,
    task_instance.c.map_index,
    task_instance.c.state,
    task_instance.c.epoch,
    task_instance.c.claim_id,
    task_instance.c.try_number,
    task_instance.c.tries_max,
    task_instance.c.started_at,
    task_instance.c.first_started_at,
    task_instance.c.version_id,
)


_HELD_NAMES = frozenset(column.name for column in HELD_COLUMNS)


def held_from(row: Any) -> Held:
    """Make a ``Held`` of a row whose first columns are ``HELD_COLUMNS``."""
    return Held(
        row[0],
        row[1],
        row[2],
        row[3],
        TaskInstanceState(row[4]),
        row[5],
        row[6],
        row[7],
        row[8],
        row[9],
        row[10],
        row[11],
    )


@dataclass(frozen=True, slots=True)
class Move:
    """One task instance is to change its state. ``values``: the other columns that change."""

    held: Held
    new: TaskInstanceState
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)
    #: States that it passes in the same write, where nobody sees it.
    through: tuple[TaskInstanceState, ...] = ()


def after(move: Move) -> Held:
    """Return what there is to be held once this move is written."""
    changed = {name: value for name, value in move.values.items() if name in _HELD_NAMES}
    return replace(move.held, state=move.new, **changed)


def joined(first: Move, second: Move) -> Move:
    """Return two moves of one task instance, the second made for ``after(first)``, as one write."""
    return Move(
        first.held,
        second.new,
        second.reason,
        {**first.values, **second.values},
        (*first.through, first.new, *second.through),
    )


def schedule(held: Held, now: datetime, reason: str, *, is_new_try: bool) -> Move:
    """Dependencies are met. A new try counts up; a reschedule goes on with the same one."""
    values: dict[str, Any] = {
        "scheduled_at": now,
        "due_at": None,
        "queued_at": None,
        "queue_count": 0,
    }
    if is_new_try:
        values |= {
            "try_number": held.try_number + 1,
            "started_at": None,
            "first_started_at": None,
            "ended_at": None,
            "reschedule_count": 0,
            "rendered_map_index": None,
        }
    return Move(held, _S.SCHEDULED, reason, values)


def queue(held: Held, now: datetime) -> Move:
    """Hand out: a new epoch, which only a claim turns into a running attempt."""
    return Move(
        held,
        _S.QUEUED,
        "",
        {"queued_at": now, "epoch": held.epoch + 1, "claim_id": None},
    )


def run(held: Held, now: datetime, *, claim_id: str, worker_id: str, hostname: str) -> Move:
    """The claim: durable before user code starts."""
    return Move(
        held,
        _S.RUNNING,
        "",
        {
            "claim_id": claim_id,
            "worker_id": worker_id,
            "hostname": hostname,
            "pid": None,
            "started_at": held.first_started_at or now,
            "first_started_at": held.first_started_at or now,
            "ended_at": None,
        },
    )


def take_back(held: Held, reason: str, *, queue_count: int | None = None) -> Move:
    """Queued or running without user code having begun: to scheduled, the try is not used."""
    values: dict[str, Any] = {"queued_at": None, "claim_id": None, "worker_id": None}
    if queue_count is not None:
        values["queue_count"] = queue_count
    return Move(held, _S.SCHEDULED, reason, values)


def stop(held: Held, new: TaskInstanceState, now: datetime, reason: str) -> Move:
    """The system, or a person, ends what has not ended by itself. Its attempt is fenced."""
    return Move(
        held,
        new,
        reason,
        {
            "epoch": held.epoch + 1,
            "claim_id": None,
            "due_at": None,
            "next_method": None,
            "next_kwargs": None,
            "trigger_id": None,
            "started_at": held.started_at or now,
            "ended_at": now,
        },
    )


def finish_empty(held: Held, now: datetime, reason: str) -> Move:
    """An empty operator succeeds without a process; it has used one try all the same."""
    return Move(
        held,
        _S.SUCCESS,
        reason,
        {
            "try_number": held.try_number + 1,
            "started_at": now,
            "ended_at": now,
            "due_at": None,
        },
    )


def restore(held: Held, reason: str) -> Move:
    """A removed map index, or task, came back."""
    return Move(held, _S.NONE, reason, {"started_at": None, "ended_at": None})


def clear(held: Held, tries_max: int, version_id: int, reason: str) -> Move:
    """A person clears it: running becomes restarting until its process is gone (semantics 5.12)."""
    is_running = held.state in (_S.RUNNING, _S.RESTARTING)
    values: dict[str, Any] = {
        "epoch": held.epoch + 1,
        "claim_id": None,
        "due_at": None,
        "tries_max": tries_max,
        "version_id": version_id,
        "next_method": None,
        "next_kwargs": None,
        "trigger_id": None,
        "reschedule_count": 0,
        "first_reschedule_at": None,
        "first_started_at": None,
        "queue_count": 0,
        "scheduled_at": None,
        "queued_at": None,
    }
    if not is_running:
        values |= {"started_at": None, "ended_at": None, "worker_id": None, "pid": None}
    return Move(held, _S.RESTARTING if is_running else _S.NONE, reason, values)


def restart(held: Held, reason: str) -> Move:
    """The process of a cleared task instance is gone: it may be scheduled again."""
    return Move(
        held,
        _S.NONE,
        reason,
        {"started_at": None, "ended_at": None, "worker_id": None, "pid": None, "due_at": None},
    )


def write_moves(
    connection: Connection, moves: Sequence[Move], *, by_user: bool = False
) -> list[Move]:
    """Apply moves, and return those that won their compare-and-set, in order.

    Raises:
        IllegalTransition: a move is not in the table of allowed transitions.
    """
    shapes: dict[tuple[str, ...], list[Move]] = {}
    for move in moves:
        # Marking what is already so, or clearing twice, is no change of state.
        if move.new is not move.held.state:
            for old, new in pairwise((move.held.state, *move.through, move.new)):
                check_transition(old, new, by_user=by_user)
        shapes.setdefault(tuple(sorted(move.values)), []).append(move)
    lost: set[int] = set()
    for shape, group in shapes.items():
        statement = _move_statement(shape)
        rows = [_move_parameters(move) for move in group]
        lost.update(
            move.held.id
            for move, has_won in zip(group, _execute(connection, statement, rows), strict=True)
            if not has_won
        )
    return [move for move in moves if move.held.id not in lost]


def _execute(
    connection: Connection, statement: Update, rows: Sequence[Mapping[str, Any]]
) -> list[bool]:
    """Run a compare-and-set for many rows. The sum tells if all won; else each is asked."""
    trustful = trusting(connection)
    if trustful is not None:
        trustful.trust(trustful.execute(statement, list(rows)), len(rows))
        return [True] * len(rows)
    if len(rows) == 1:
        return [connection.execute(statement, rows[0]).rowcount == 1]
    savepoint = connection.begin_nested()
    if connection.execute(statement, rows).rowcount == len(rows):
        savepoint.commit()
        return [True] * len(rows)
    savepoint.rollback()
    return [connection.execute(statement, row).rowcount == 1 for row in rows]


@lru_cache(maxsize=64)
def _move_statement(columns: tuple[str, ...]) -> Update:
    """Build the compare-and-set once per set of columns; SQLAlchemy caches its text then."""
    return (
        update(task_instance)
        .where(
            task_instance.c.id == bindparam("held_id"),
            task_instance.c.state == bindparam("held_state"),
            task_instance.c.epoch == bindparam("held_epoch"),
            task_instance.c.claim_id.is_not_distinct_from(bindparam("held_claim_id")),
        )
        .values(
            state=bindparam("new_state"),
            state_reason=bindparam("new_reason"),
            **{
                name: bindparam(f"new_{name}", type_=task_instance.c[name].type) for name in columns
            },
        )
    )


def _move_parameters(move: Move) -> dict[str, Any]:
    held = move.held
    parameters: dict[str, Any] = {
        "held_id": held.id,
        "held_state": held.state.value,
        "held_epoch": held.epoch,
        "held_claim_id": held.claim_id,
        "new_state": move.new.value,
        "new_reason": move.reason,
    }
    for name, value in move.values.items():
        parameters[f"new_{name}"] = value
    return parameters


@dataclass(frozen=True, slots=True)
class RunMove:
    """One dag run is to change its state."""

    id: int
    old: DagRunState
    new: DagRunState
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)


def write_run_move(connection: Connection, move: RunMove) -> bool:
    """Apply one change of a dag run's state; False: another writer was first."""
    statement = _run_statement(tuple(sorted(move.values)))
    parameters = {
        "held_id": move.id,
        "held_state": move.old.value,
        "new_state": move.new.value,
        "new_reason": move.reason,
        **{f"new_{name}": value for name, value in move.values.items()},
    }
    return connection.execute(statement, parameters).rowcount == 1


@lru_cache(maxsize=32)
def _run_statement(columns: tuple[str, ...]) -> Update:
    return (
        update(dag_run)
        .where(
            dag_run.c.id == bindparam("held_id"),
            dag_run.c.state == bindparam("held_state"),
        )
        .values(
            state=bindparam("new_state"),
            state_reason=bindparam("new_reason"),
            **{name: bindparam(f"new_{name}", type_=dag_run.c[name].type) for name in columns},
        )
    )


_END_ATTEMPT = (
    update(attempt)
    .where(
        attempt.c.task_instance_id == bindparam("held_id"),
        attempt.c.epoch == bindparam("held_epoch"),
        attempt.c.claim_id == bindparam("held_claim_id"),
        # Not "IN": that cannot be executed for many rows at once.
        or_(attempt.c.state == "claimed", attempt.c.state == "running"),
    )
    .values(
        state=bindparam("new_state"),
        started_at=func.coalesce(
            bindparam("new_started_at", type_=attempt.c.started_at.type), attempt.c.started_at
        ),
        ended_at=bindparam("new_ended_at", type_=attempt.c.ended_at.type),
        exit_code=func.coalesce(
            bindparam("new_exit_code", type_=attempt.c.exit_code.type), attempt.c.exit_code
        ),
        signal=func.coalesce(
            bindparam("new_signal", type_=attempt.c.signal.type), attempt.c.signal
        ),
        reason=bindparam("new_reason"),
        hostname=func.coalesce(
            bindparam("new_hostname", type_=attempt.c.hostname.type), attempt.c.hostname
        ),
        pid=func.coalesce(bindparam("new_pid", type_=attempt.c.pid.type), attempt.c.pid),
        log_path=func.coalesce(
            bindparam("new_log_path", type_=attempt.c.log_path.type), attempt.c.log_path
        ),
        code_hash=func.coalesce(
            bindparam("new_code_hash", type_=attempt.c.code_hash.type), attempt.c.code_hash
        ),
    )
)


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How one attempt's history row is closed. It is written once and never changed again."""

    task_instance_id: int
    epoch: int
    claim_id: str
    state: str
    ended_at: datetime
    reason: str = ""
    started_at: datetime | None = None
    exit_code: int | None = None
    signal: int | None = None
    hostname: str = ""
    pid: int | None = None
    log_path: str | None = None
    code_hash: str | None = None


def end_attempts(connection: Connection, ends: Sequence[AttemptEnd]) -> None:
    """Close the history rows of attempts; rows that are closed already stay as they are."""
    if not ends:
        return
    connection.execute(
        _END_ATTEMPT,
        [
            {
                "held_id": end.task_instance_id,
                "held_epoch": end.epoch,
                "held_claim_id": end.claim_id,
                "new_state": end.state,
                "new_started_at": end.started_at,
                "new_ended_at": end.ended_at,
                "new_exit_code": end.exit_code,
                "new_signal": end.signal,
                "new_reason": end.reason,
                "new_hostname": end.hostname or None,
                "new_pid": end.pid,
                "new_log_path": end.log_path,
                "new_code_hash": end.code_hash,
            }
            for end in ends
        ],
    )
