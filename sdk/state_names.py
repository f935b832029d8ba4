"""``State``: the states of task instances and dag runs as Airflow's constants and sets."""

from __future__ import annotations

from typing import Any, ClassVar

from . import states
from .states import DagRunState, TaskInstanceState


class State:
    """Every state by its name. ``State.NONE`` is None, as Airflow has it."""

    NONE: ClassVar[Any] = None
    REMOVED = TaskInstanceState.REMOVED
    SCHEDULED = TaskInstanceState.SCHEDULED
    QUEUED = TaskInstanceState.QUEUED
    RUNNING = TaskInstanceState.RUNNING
    SUCCESS = TaskInstanceState.SUCCESS
    FAILED = TaskInstanceState.FAILED
    RESTARTING = TaskInstanceState.RESTARTING
    UP_FOR_RETRY = TaskInstanceState.UP_FOR_RETRY
    UP_FOR_RESCHEDULE = TaskInstanceState.UP_FOR_RESCHEDULE
    UPSTREAM_FAILED = TaskInstanceState.UPSTREAM_FAILED
    SKIPPED = TaskInstanceState.SKIPPED
    DEFERRED = TaskInstanceState.DEFERRED

    task_states: tuple[TaskInstanceState | None, ...] = (
        None,
        *(state for state in TaskInstanceState if state is not TaskInstanceState.NONE),
    )
    dag_states: tuple[DagRunState, ...] = tuple(DagRunState)
    finished = frozenset(states.FINISHED)
    unfinished: frozenset[TaskInstanceState | None] = frozenset(
        {None, *states.UNFINISHED} - {TaskInstanceState.NONE}
    )
    failed_states = frozenset(states.FAILED_STATES)
    success_states = frozenset(states.SUCCESS_STATES)
    finished_dr_states = frozenset(states.FINISHED_RUN)
    unfinished_dr_states = frozenset(DagRunState) - frozenset(states.FINISHED_RUN)
