"""States of task instances and dag runs, and which may follow which.

The tables are the documentation, the guard and the test oracle at once. Only the store assigns
a state, and it calls ``check_transition`` first.

Source: Airflow's documentation of task and dag run states; ``spec/semantics.md`` section 5.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from .errors import IllegalTransition


class TaskInstanceState(StrEnum):
    """What became of one task in one dag run. ``NONE`` is Airflow's null state."""

    NONE = "none"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    UPSTREAM_FAILED = "upstream_failed"
    REMOVED = "removed"
    UP_FOR_RETRY = "up_for_retry"
    UP_FOR_RESCHEDULE = "up_for_reschedule"
    DEFERRED = "deferred"
    RESTARTING = "restarting"


class DagRunState(StrEnum):
    """Where one dag run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class RunType(StrEnum):
    """Why a dag run exists."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"
    BACKFILL = "backfill"
    ASSET_TRIGGERED = "asset_triggered"
    OPERATOR_TRIGGERED = "operator_triggered"
    ASSET_MATERIALIZATION = "asset_materialization"


_S = TaskInstanceState

#: What the system itself may do. A person's act (clear, mark) may also leave a finished state;
#: it makes a new epoch and goes through ``USER_ALLOWED``.
ALLOWED: Mapping[TaskInstanceState, frozenset[TaskInstanceState]] = {
    _S.NONE: frozenset(
        {
            _S.SCHEDULED,
            _S.SUCCESS,  # an empty operator never needs a process
            _S.SKIPPED,
            _S.UPSTREAM_FAILED,
            _S.FAILED,  # fail_fast and dagrun_timeout end what never started
            _S.REMOVED,
            _S.DEFERRED,  # start_from_trigger
        }
    ),
    _S.SCHEDULED: frozenset({_S.QUEUED, _S.NONE, _S.SKIPPED, _S.FAILED, _S.REMOVED}),
    _S.QUEUED: frozenset({_S.RUNNING, _S.SCHEDULED, _S.NONE, _S.SKIPPED, _S.FAILED, _S.REMOVED}),
    _S.RUNNING: frozenset(
        {
            _S.SUCCESS,
            _S.FAILED,
            _S.SKIPPED,
            _S.UP_FOR_RETRY,
            _S.UP_FOR_RESCHEDULE,
            _S.DEFERRED,
            _S.RESTARTING,
            _S.SCHEDULED,  # its worker died before user code began: the try is not used
            _S.REMOVED,
        }
    ),
    _S.UP_FOR_RETRY: frozenset(
        {_S.SCHEDULED, _S.DEFERRED, _S.FAILED, _S.SKIPPED, _S.UPSTREAM_FAILED, _S.REMOVED, _S.NONE}
    ),
    _S.UP_FOR_RESCHEDULE: frozenset(
        {_S.SCHEDULED, _S.FAILED, _S.SKIPPED, _S.UPSTREAM_FAILED, _S.REMOVED, _S.NONE}
    ),
    _S.DEFERRED: frozenset(
        {_S.SCHEDULED, _S.SUCCESS, _S.FAILED, _S.SKIPPED, _S.UP_FOR_RETRY, _S.REMOVED, _S.NONE}
    ),
    _S.RESTARTING: frozenset({_S.NONE, _S.UP_FOR_RETRY, _S.FAILED, _S.SKIPPED, _S.REMOVED}),
    _S.SUCCESS: frozenset(),
    _S.FAILED: frozenset(),
    _S.SKIPPED: frozenset(),
    _S.UPSTREAM_FAILED: frozenset(),
    _S.REMOVED: frozenset({_S.NONE}),  # the task, or the map index, came back
}

#: States that only a recorded act of a person leaves (``removed`` also by structure).
FINISHED: frozenset[TaskInstanceState] = frozenset(
    {_S.SUCCESS, _S.FAILED, _S.SKIPPED, _S.UPSTREAM_FAILED, _S.REMOVED}
)
UNFINISHED: frozenset[TaskInstanceState] = frozenset(TaskInstanceState) - FINISHED
FAILED_STATES: frozenset[TaskInstanceState] = frozenset({_S.FAILED, _S.UPSTREAM_FAILED})
SUCCESS_STATES: frozenset[TaskInstanceState] = frozenset({_S.SUCCESS, _S.SKIPPED})
SCHEDULABLE: frozenset[TaskInstanceState] = frozenset(
    {_S.NONE, _S.UP_FOR_RETRY, _S.UP_FOR_RESCHEDULE}
)
#: States in which a task instance occupies a slot of its pool and of its limits.
OCCUPYING: frozenset[TaskInstanceState] = frozenset({_S.QUEUED, _S.RUNNING, _S.RESTARTING})

FINISHED_RUN: frozenset[DagRunState] = frozenset({DagRunState.SUCCESS, DagRunState.FAILED})


def check_transition(old: TaskInstanceState, new: TaskInstanceState, *, by_user: bool) -> None:
    """Refuse a change of state that the table does not list.

    Args:
        by_user: a recorded act of a person (clear, mark) may move a task instance anywhere
            but into ``scheduled``, ``queued`` or ``running``, which only the system gives.

    Raises:
        IllegalTransition: the change is not allowed.
    """
    if by_user:
        if new in (_S.SCHEDULED, _S.QUEUED, _S.RUNNING):
            raise IllegalTransition(f"a person cannot put a task instance into {new}")
        return
    if new not in ALLOWED[old]:
        raise IllegalTransition(f"a task instance cannot go from {old} to {new}")
