"""What changes now in one dag run. Pure: values in, values and reasons out.

``decide`` never touches a finished state (but for ``removed``, which structure may bring back),
and asks a task only after all tasks above it: a skip or a failure reaches everything below in one
pass. Source: ``spec/semantics.md`` section 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import heapify, heappop, heappush

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
from .standings import Standing, Standings
from .upstream import Board

_S = TaskInstanceState

_NOT_STARTED = SCHEDULABLE | {_S.SCHEDULED, _S.QUEUED}


class _Pass:
    """One pass over one run: what was decided so far. Counts are those of the task being asked."""

    def __init__(self, snapshot: RunSnapshot, now: datetime, standings: Standings) -> None:
        self.board = Board(snapshot)
        self.now = now
        self.standings = standings
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

    def ask(self, task_id: str, instances: Sequence[InstanceSnapshot]) -> bool:
        """Ask one task; return whether anything of it changes."""
        before = len(self.transitions) + len(self.expansions)
        self.unfinished = self.moving = 0
        self.wake_at = None
        if task_id in self.board.structure.tasks:
            _decide_task(self, task_id, instances)
        else:
            _remove_unknown(self, instances)
        self.standings.put(task_id, Standing(self.unfinished, self.moving, self.wake_at))
        return len(self.transitions) + len(self.expansions) > before


def decide(
    snapshot: RunSnapshot,
    now: datetime,
    standings: Standings | None = None,
    touched_ids: Iterable[str] = (),
) -> Decision:
    """Return what changes now in one dag run, each change with its reason.

    Only a running dag run changes. Call again after applying until the answer is empty: an
    expansion lets its new instances be judged by the next call only.

    Args:
        now: the instant of the decision, aware UTC.
        standings: what the pass before found out; this one brings it up to date. With it only
            tasks are asked that may have another answer than then, so that deciding a run at
            each step costs what the steps touch. None: all tasks are asked.
        touched_ids: tasks of which an instance, a result or a mark has changed since that pass,
            whoever changed it: what the pass itself decided counts once it is applied.
    """
    if snapshot.state is not DagRunState.RUNNING:
        return Decision()
    if standings is None:
        standings = Standings()
    times_out = times_out_at(snapshot)
    if times_out is not None and now >= times_out:
        return _time_out(snapshot, now, standings)
    current = _Pass(snapshot, now, standings)
    is_fail_fast = snapshot.structure.dag.is_fail_fast
    if is_fail_fast:
        _fail_fast(current)
    if is_fail_fast or not standings:
        _ask_all(current)
    else:
        _ask_touched(current, touched_ids)
    run = _decide_run(current)
    current.wake_at = standings.wake_at()
    current.wake(times_out)
    return Decision(
        expansions=current.expansions,
        transitions=current.transitions,
        run=run,
        wake_at=None if run is not None else current.wake_at,
    )


def _ask_all(current: _Pass) -> None:
    snapshot = current.board.snapshot
    known = 0
    for task_id in snapshot.structure.tasks:
        instances = snapshot.instances.get(task_id)
        if instances is not None:
            known += 1
            current.ask(task_id, instances)
    if known < len(snapshot.instances):
        for task_id, instances in snapshot.instances.items():
            if task_id not in snapshot.structure.tasks:
                current.ask(task_id, instances)


def _ask_touched(current: _Pass, touched_ids: Iterable[str]) -> None:
    """Ask tasks that changed, that time or the past may have changed, and what depends on them.

    In the order of a whole pass: what a change reaches lies further below.
    """
    snapshot, structure = current.board.snapshot, current.board.structure
    positions = structure.positions
    touched = set(touched_ids)
    asked = touched.union(current.standings.due_task_ids(current.now), snapshot.past)
    for task_id in touched:
        asked.update(structure.dependent_ids.get(task_id, ()))
    end = len(positions)  # tasks that the DAG no longer has come last
    waiting = [(positions.get(task_id, end), task_id) for task_id in asked]
    heapify(waiting)
    while waiting:
        position, task_id = heappop(waiting)
        instances = snapshot.instances.get(task_id)
        if instances is None or not current.ask(task_id, instances):
            continue
        for below in structure.dependent_ids.get(task_id, ()):
            if below not in asked and positions[below] > position:
                asked.add(below)
                heappush(waiting, (positions[below], below))


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


def _remove_unknown(current: _Pass, instances: Sequence[InstanceSnapshot]) -> None:
    """Remove what waits of a task that the run's DAG version no longer has (semantics 5.1)."""
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


def _time_out(snapshot: RunSnapshot, now: datetime, standings: Standings) -> Decision:
    current = _Pass(snapshot, now, standings)
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
    if current.standings.unfinished == 0:
        return final_state(current.board)
    if current.standings.moving or current.expansions:
        return None
    board = current.board
    if all(
        board.state_of(instance) in FINISHED
        for instances in board.snapshot.instances.values()
        for instance in instances
    ):
        return final_state(board)
    return RunTransition(DagRunState.FAILED, "all_tasks_deadlocked")
