"""What the store shows to the deciding functions, and what they answer. Plain values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from ..sdk.states import DagRunState, RunType, TaskInstanceState
from .structure import DagStructure


@dataclass(frozen=True, slots=True)
class InstanceSnapshot:
    """One task instance row. ``map_index`` is -1 where not (or not yet) mapped."""

    id: int
    task_id: str
    map_index: int
    state: TaskInstanceState
    try_number: int = 0
    tries_max: int = 0
    #: When an up_for_retry or up_for_reschedule instance may go on.
    due_at: datetime | None = None
    #: When its last try ended. Only fail_fast asks: a failure from before the run was started
    #: (again, by a clear) stops nothing.
    ended_at: datetime | None = None


class Past(Enum):
    """What the previous dag run says to a task with depends_on_past."""

    CLEAR = "clear"  # nothing stands in the way
    WAITING = "waiting"  # the previous one may still succeed
    BLOCKED = "blocked"  # it failed, or it is missing: a person has to act


@dataclass(frozen=True, slots=True)
class SkipMark:
    """What a branch or short circuit wrote under ``skipmixin_key``; one of both is None.

    ``{"followed": [ids]}``: direct downstream not named is skipped. ``{"skipped": [ids]}``: those
    named are skipped.
    """

    followed: frozenset[str] | None = None
    skipped: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """Everything that ``decide`` may know about one dag run.

    How the store fills the three look-ups, which only few runs need:

    ``xcom_lengths``: for tasks in any ``structure.length_task_ids`` only: the ``return_value``
    XComs of this run, as task id → map index (-1: not mapped) → length.

    ``skip_marks``: for tasks with ``can_skip_downstream`` only, and only while an instance below
    them has no state: their ``skipmixin_key`` XComs of this run.

    ``past``: for tasks with ``depends_on_past`` that have an instance without state or up for
    retry; see ``planning.past`` for the rule.
    """

    dag_run_id: int
    dag_id: str
    run_id: str
    run_type: RunType
    state: DagRunState
    logical_date: datetime | None
    started_at: datetime | None
    structure: DagStructure
    #: task id → its instances, by map index. A task without any was not due in this run.
    instances: Mapping[str, Sequence[InstanceSnapshot]]
    #: task id → map index → number of elements of its return value, where it has a length;
    #: an instance that pushed a return value without a length stands with -1.
    xcom_lengths: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    #: (task id, map index) → what it wrote when it skipped.
    skip_marks: Mapping[tuple[str, int], SkipMark] = field(default_factory=dict)
    #: task id → what its past says; tasks without depends_on_past are absent.
    past: Mapping[str, Past] = field(default_factory=dict)
    map_length_max: int = 1024


class Transition(NamedTuple):
    """One task instance moves, and why.

    ``try_number`` grows by one where ``is_new_try`` says so, and only there: a fresh try or a
    retry, not a wake-up of a rescheduled one. Applying is a compare-and-set on ``old``; whoever
    moves a running instance (fail_fast, run timeout) fences its attempt.
    """

    instance_id: int
    task_id: str
    map_index: int
    old: TaskInstanceState
    new: TaskInstanceState
    reason: str
    is_new_try: bool = False


@dataclass(frozen=True, slots=True)
class MappedExpansion:
    """One task gets instances 0..length-1; the placeholder (-1), if there is one, becomes index 0.

    On a re-expansion after a clear the missing indexes are created; surplus ones are removed and
    removed ones brought back by transitions.
    """

    task_id: str
    length: int
    reason: str


@dataclass(frozen=True, slots=True)
class RunTransition:
    """The dag run itself moves.

    ``reason``: success, task_failure, all_tasks_deadlocked or timed_out.
    """

    new: DagRunState
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What changes now in one dag run, in the order in which it is to be applied.

    Transitions come after expansions; one that concerns an instance which the expansion creates
    is left to the next call (the store calls again until nothing changes).
    """

    expansions: Sequence[MappedExpansion] = ()
    transitions: Sequence[Transition] = ()
    run: RunTransition | None = None
    #: The next instant at which time alone changes something (retry, reschedule, run timeout).
    wake_at: datetime | None = None
