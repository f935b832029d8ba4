"""What changes now in one dag run. Pure: values in, values and reasons out.

``decide`` never touches a finished state (but for ``removed``, which structure may bring back),
and asks a task only after all tasks above it: a skip or a failure reaches everything below in one
pass. Source: ``spec/semantics.md`` section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..sdk.states import FINISHED, SCHEDULABLE, DagRunState, TaskInstanceState
from ..sdk.trigger_rules import Verdict, judge
from .assess import Grow, Move, Wait, assess, may_go_at
from .expand import NoLength, count_instances
from .run_state import final_state, times_out_at
from .siblings import READY_AHEAD_MAX
from .snapshot import (
    Decision,
    InstanceSnapshot,
    MappedExpansion,
    RunSnapshot,
    RunTransition,
    Transition,
)
from .upstream import Board

_S = TaskInstanceState

_NOT_STARTED = SCHEDULABLE | {_S.SCHEDULED, _S.QUEUED}


class _Pass:
    """One pass over one run: what was decided so far."""

    def __init__(self, snapshot: RunSnapshot, now: datetime) -> None:
        self.board = Board(snapshot)
        self.now = now
        self.transitions: list[Transition] = []
        self.expansions: list[MappedExpansion] = []
        self.wake_at: datetime | None = None
        #: Instances that are on their way, or wait for something that will come by itself.
        self.moving = 0
        self.unfinished = 0

    def move(self, instance: InstanceSnapshot, new: TaskInstanceState, reason: str) -> None:
        old = instance.state
        self.board.changed[instance.id] = new
        is_new_try = old in (_S.NONE, _S.UP_FOR_RETRY) and new in (_S.SCHEDULED, _S.SUCCESS)
        self.transitions.append(
            Transition(
                instance.id, instance.task_id, instance.map_index, old, new, reason, is_new_try
            )
        )
        if new not in FINISHED:
            self.unfinished += 1
            self.moving += 1

    def wake(self, at: datetime | None) -> None:
        if at is not None and (self.wake_at is None or at < self.wake_at):
            self.wake_at = at


def decide(snapshot: RunSnapshot, now: datetime) -> Decision:
    """Return what changes now in one dag run, each change with its reason.

    Only a running dag run changes. Call again after applying until the answer is empty: an
    expansion lets its new instances be judged by the next call only.

    Args:
        now: the instant of the decision, aware UTC.
    """
    if snapshot.state is not DagRunState.RUNNING:
        return Decision()
    times_out = times_out_at(snapshot)
    if times_out is not None and now >= times_out:
        return _time_out(snapshot, now)
    current = _Pass(snapshot, now)
    current.wake(times_out)
    if snapshot.structure.dag.is_fail_fast:
        _fail_fast(current)
    known = 0
    for task_id in snapshot.structure.tasks:
        instances = snapshot.instances.get(task_id)
        if instances is not None:
            known += 1
            _decide_task(current, task_id, instances)
    if known < len(snapshot.instances):
        _remove_unknown(current)
    run = _decide_run(current)
    return Decision(
        expansions=current.expansions,
        transitions=current.transitions,
        run=run,
        wake_at=None if run is not None else current.wake_at,
    )


def _decide_task(current: _Pass, task_id: str, instances: Sequence[InstanceSnapshot]) -> None:
    changed = current.board.changed
    is_revised = _is_length_kept(current.board, task_id, instances)
    room = _room_for_ready(instances)
    for instance in instances:
        state = instance.state
        if state in FINISHED:
            continue
        if instance.id in changed:
            continue  # fail_fast or a revised length has had its say
        if state not in SCHEDULABLE:
            current.unfinished += 1
            current.moving += 1
            continue
        answer = assess(current.board, instance, current.now)
        if isinstance(answer, Move):
            if answer.new is _S.SCHEDULED and not is_revised and instance.map_index >= 0:
                is_revised = True
                _revise_length(current, task_id)
                if instance.id in changed:
                    continue
            if answer.new is _S.SCHEDULED and instance.map_index >= 0:
                room -= 1
                if room < 0:  # its turn comes when some of those before it have begun
                    current.unfinished += 1
                    current.moving += 1
                    continue
            current.move(instance, answer.new, answer.reason)
            continue
        current.unfinished += 1
        if isinstance(answer, Grow):
            current.board.expanding.add(task_id)
            current.expansions.append(
                MappedExpansion(task_id, answer.length, f"there are {answer.length} to map")
            )
        elif answer is Wait.TIME:
            current.moving += 1
            current.wake(may_go_at(instance))
        elif answer is Wait.PAST:
            current.moving += 1


def _is_length_kept(board: Board, task_id: str, instances: Sequence[InstanceSnapshot]) -> bool:
    """Tell whether a task has all the instances that it can have: nothing above changes that.

    Literals change with the DAG's version, to which a clear moves a run.
    """
    if task_id in board.structure.length_task_ids:
        return False
    if not board.structure.expansions[task_id]:
        return True
    return count_instances(board.structure, task_id, None) == len(instances)


def _room_for_ready(instances: Sequence[InstanceSnapshot]) -> int:
    """Return how many more instances of one mapped task may be made ready."""
    if len(instances) <= READY_AHEAD_MAX:
        return READY_AHEAD_MAX
    return READY_AHEAD_MAX - sum(1 for one in instances if one.state is _S.SCHEDULED)


def _remove_unknown(current: _Pass) -> None:
    """Remove what waits of tasks that the run's DAG version no longer has (semantics 5.1)."""
    snapshot = current.board.snapshot
    for task_id, instances in snapshot.instances.items():
        if task_id in snapshot.structure.tasks:
            continue
        for instance in instances:
            if instance.state in FINISHED or instance.id in current.board.changed:
                continue
            if instance.state in _NOT_STARTED:
                current.move(instance, _S.REMOVED, "the DAG no longer has this task")
            else:
                current.unfinished += 1
                current.moving += 1


def _revise_length(current: _Pass, task_id: str) -> None:
    """Fit the instances of a mapped task to a length that has changed since (after a clear)."""
    board = current.board
    length = count_instances(board.structure, task_id, board.results)
    if isinstance(length, NoLength):
        return
    instances = board.instances(task_id)
    indexes = {instance.map_index for instance in instances}
    if any(map_index not in indexes for map_index in range(length)):
        current.expansions.append(
            MappedExpansion(task_id, length, f"there are now {length} to map")
        )
    rule = board.structure.trigger_rules[task_id]
    for instance in instances:
        if instance.id in board.changed:
            continue
        if instance.map_index >= length and instance.state in SCHEDULABLE:
            current.move(instance, _S.REMOVED, f"there are only {length} to map now")
        elif (
            instance.state is _S.REMOVED
            and 0 <= instance.map_index < length
            and judge(rule, board.upstream(task_id, instance.map_index)) is not Verdict.REMOVE
        ):
            current.move(instance, _S.NONE, f"there are {length} to map again")


def _fail_fast(current: _Pass) -> None:
    """Stop everything but teardowns once one task has failed for good (semantics 5.11)."""
    snapshot = current.board.snapshot
    culprit = next(
        (
            instance
            for instances in snapshot.instances.values()
            for instance in instances
            if instance.state is _S.FAILED and _is_fresh(snapshot, instance)
        ),
        None,
    )
    if culprit is None:
        return
    tasks = snapshot.structure.tasks
    for task_id, instances in snapshot.instances.items():
        if task_id in tasks and tasks[task_id].is_teardown:
            continue
        for instance in instances:
            if instance.state not in FINISHED:
                new = _S.FAILED if instance.state is _S.RUNNING else _S.SKIPPED
                current.move(instance, new, f"fail_fast: {culprit.task_id} failed")


def _is_fresh(snapshot: RunSnapshot, instance: InstanceSnapshot) -> bool:
    """Tell whether a failure belongs to this running of the run, not to one before a clear."""
    if instance.ended_at is None or snapshot.started_at is None:
        return True
    return instance.ended_at >= snapshot.started_at


def _time_out(snapshot: RunSnapshot, now: datetime) -> Decision:
    current = _Pass(snapshot, now)
    for instances in snapshot.instances.values():
        for instance in instances:
            if instance.state not in FINISHED:
                current.move(instance, _S.SKIPPED, "the dag run is over its dagrun_timeout")
    return Decision(
        transitions=current.transitions, run=RunTransition(DagRunState.FAILED, "timed_out")
    )


def _decide_run(current: _Pass) -> RunTransition | None:
    """End the run when everything has finished, or when provably nothing can move any more.

    One pass is enough for the proof: each task was asked after all that it depends on, so what
    waits although nothing is on its way, due later or held by the past, waits for ever.
    """
    if current.unfinished == 0:
        return final_state(current.board)
    if current.moving or current.expansions:
        return None
    board = current.board
    if all(
        board.state_of(instance) in FINISHED
        for instances in board.snapshot.instances.values()
        for instance in instances
    ):
        return final_state(board)
    return RunTransition(DagRunState.FAILED, "all_tasks_deadlocked")
