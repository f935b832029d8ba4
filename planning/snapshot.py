"""What the store shows to the deciding functions, and what they answer. Plain values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

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


class Past(Enum):
    """What the previous dag run says to a task with depends_on_past."""

    CLEAR = "clear"  # nothing stands in the way
    WAITING = "waiting"  # the previous one may still succeed
    BLOCKED = "blocked"  # it failed, or it is missing: a person has to act


@dataclass(frozen=True, slots=True)
class SkipMark:
    """What a branch or short circuit wrote under ``skipmixin_key``; one of both is None."""

    followed: frozenset[str] | None = None
    skipped: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class RunSnapshot:
    """Everything that ``decide`` may know about one dag run."""

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


@dataclass(frozen=True, slots=True)
class Transition:
    """One task instance moves, and why."""

    instance_id: int
    task_id: str
    map_index: int
    old: TaskInstanceState
    new: TaskInstanceState
    reason: str


@dataclass(frozen=True, slots=True)
class MappedExpansion:
    """One task gets instances 0..length-1; the placeholder (-1) becomes index 0.

    On a re-expansion after a clear: missing indexes are created, surplus ones removed
    (the latter stand in ``Decision.transitions``).
    """

    task_id: str
    length: int
    reason: str


@dataclass(frozen=True, slots=True)
class RunTransition:
    """The dag run itself moves. ``reason``: success, task_failure, all_tasks_deadlocked, timed_out."""

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
