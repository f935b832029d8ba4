"""What becomes of one task instance that has not started: for ``decide`` and ``explain`` alike.

Source: ``spec/semantics.md`` sections 3.5, 5.2 to 5.5.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from ..sdk.states import FAILED_STATES, FINISHED, TaskInstanceState
from ..sdk.trigger_rules import TriggerRule, Verdict, judge
from .expand import NoLength, count_instances
from .snapshot import InstanceSnapshot, Past
from .upstream import Board

_S = TaskInstanceState

#: "Strictly after" its due time (semantics 2.2) is the next instant that a clock can show.
_TICK = timedelta(microseconds=1)


class Wait(Enum):
    """Why a task instance stays as it is."""

    UPSTREAM = "upstream"
    SETUP = "setup"
    PAST = "past"
    TIME = "time"
    LENGTH = "length"


class Move(NamedTuple):
    """The instance goes into a new state now."""

    new: TaskInstanceState
    reason: str


class Grow(NamedTuple):
    """The placeholder of a mapped task becomes instances 0..length-1."""

    length: int


#: What ``assess`` answers. A Wait for TIME is told apart by ``may_go_at``.
Assessment = Move | Grow | Wait


def may_go_at(instance: InstanceSnapshot) -> datetime | None:
    """Return when a waiting retry or reschedule may go on; None: nothing but itself holds it."""
    if instance.due_at is None:
        return None
    if instance.state is _S.UP_FOR_RETRY:
        return instance.due_at + _TICK
    if instance.state is _S.UP_FOR_RESCHEDULE:
        return instance.due_at
    return None


def assess(board: Board, instance: InstanceSnapshot, now: datetime) -> Assessment:
    """Return what becomes now of an instance without state, up for retry or up for reschedule."""
    due_at = may_go_at(instance)
    if due_at is not None and now < due_at:
        return Wait.TIME
    task_id, map_index = instance.task_id, instance.map_index
    task = board.structure.tasks[task_id]
    past = board.snapshot.past.get(task_id, Past.CLEAR)
    verdict, reason = _judge_all(board, instance)
    if verdict is Verdict.SKIP:
        if task.wait_for_past_depends_before_skipping and past is not Past.CLEAR:
            return Wait.PAST
        return Move(_S.SKIPPED, reason)
    if verdict is Verdict.UPSTREAM_FAILED:
        return Move(_S.UPSTREAM_FAILED, reason)
    if verdict is Verdict.REMOVE:
        return Move(_S.REMOVED, reason)
    if isinstance(verdict, Wait):
        return verdict
    if map_index < 0 and board.structure.expansions[task_id]:
        return _grow(board, task_id)
    if past is not Past.CLEAR:
        return Wait.PAST
    if instance.state is _S.UP_FOR_RETRY:
        return Move(_S.SCHEDULED, "the retry is due")
    if instance.state is _S.UP_FOR_RESCHEDULE:
        return Move(_S.SCHEDULED, "the next poke is due")
    if task.is_empty:
        return Move(_S.SUCCESS, "an empty task has nothing to run")
    return Move(_S.SCHEDULED, "all its dependencies are met")


def _judge_all(board: Board, instance: InstanceSnapshot) -> tuple[Verdict | Wait, str]:
    """Combine branch marks, setups, mapped dependencies and the trigger rule.

    Failure wins over skip, skip over waiting: so the answer does not depend on the order.
    """
    task_id, map_index = instance.task_id, instance.map_index
    if instance.state is _S.NONE and (marker := _skipped_by(board, instance)):
        return Verdict.SKIP, f"{marker} did not follow it"
    rule = board.structure.trigger_rules[task_id]
    verdicts: list[Verdict] = []
    setups = board.indirect_setups(task_id, map_index)
    if setups is not None:
        verdicts.append(judge(TriggerRule.ALL_SUCCESS, setups))
        if verdicts[0] in (Verdict.UPSTREAM_FAILED, Verdict.SKIP):
            return verdicts[0], _why(board, instance, TriggerRule.ALL_SUCCESS, verdicts[0])
    own = board.judge(task_id, map_index)
    if task_id in board.structure.length_task_ids:
        mapped = board.length_verdicts.get(task_id)
        if mapped is None:
            mapped = board.length_verdicts[task_id] = _judge_length_tasks(board, task_id)
        for wanted in (Verdict.UPSTREAM_FAILED, Verdict.SKIP):
            if wanted in (own, mapped):
                if wanted is Verdict.UPSTREAM_FAILED and _may_still_be_skipped(board, instance):
                    return Wait.UPSTREAM, ""
                if own is wanted:
                    return wanted, _why(board, instance, rule, wanted)
                return wanted, "a task that it is mapped over gave nothing to map: " + (
                    board.describe(task_id, map_index, FINISHED - {_S.SUCCESS})
                )
        if mapped is Verdict.WAIT:
            return Wait.LENGTH, ""
    if own is Verdict.WAIT:
        return Wait.UPSTREAM, ""
    if own is Verdict.UPSTREAM_FAILED and _may_still_be_skipped(board, instance):
        return Wait.UPSTREAM, ""
    if own is Verdict.RUN:
        return (Wait.SETUP, "") if Verdict.WAIT in verdicts else (own, "")
    return own, _why(board, instance, rule, own)


def _why(board: Board, instance: InstanceSnapshot, rule: TriggerRule, verdict: Verdict) -> str:
    states = {
        Verdict.UPSTREAM_FAILED: FAILED_STATES,
        Verdict.REMOVE: frozenset({_S.REMOVED}),
    }.get(verdict, FINISHED)
    if verdict is Verdict.SKIP and rule is TriggerRule.ALL_SUCCESS:
        states = frozenset({_S.SKIPPED})
    named = board.describe(instance.task_id, instance.map_index, states)
    named = named or board.describe(instance.task_id, instance.map_index, FINISHED)
    return f"trigger rule {rule}: {named}"


def _skipped_by(board: Board, instance: InstanceSnapshot) -> str:
    """Return the finished direct upstream whose mark skips *instance*, or ''."""
    marks = board.snapshot.skip_marks
    if not marks:
        return ""
    for id_ in board.structure.skipping_upstream_ids.get(instance.task_id, ()):
        # In a mapped group the branch of the same index speaks; an unmapped one for all.
        index = instance.map_index if board.structure.expansions[id_] else -1
        mark = marks.get((id_, index))
        if mark is None:
            continue
        branch = board.by_index(id_).get(index)
        if branch is None or board.state_of(branch) not in FINISHED:
            continue
        if mark.followed is not None and instance.task_id not in mark.followed:
            return id_
        if mark.skipped is not None and instance.task_id in mark.skipped:
            return id_
    return ""


def _may_still_be_skipped(board: Board, instance: InstanceSnapshot) -> bool:
    """Tell whether a direct upstream that can skip *instance* has not finished.

    A skip by a branch wins over a failure above, whichever comes first (Airflow overwrites
    upstream_failed; a finished state of ours stays, so this one is not given too early).
    """
    return any(
        board.state_of(one) not in FINISHED
        for id_ in board.structure.skipping_upstream_ids.get(instance.task_id, ())
        for one in board.relevant(instance.task_id, instance.map_index, id_)
    )


def _judge_length_tasks(board: Board, task_id: str) -> Verdict:
    """Judge the tasks that give a mapped task its number of instances (semantics 3.5).

    Also for instances that an earlier running of the run left: what they are mapped over may
    have been cleared with them. Instances of mapped ones are left to the trigger rule.
    """
    counts = {_S.FAILED: 0, _S.SKIPPED: 0}
    is_waiting = False
    for id_ in board.structure.length_task_ids[task_id]:
        for one in board.instances(id_):
            if one.map_index >= 0:
                continue
            state = board.state_of(one)
            if state in FAILED_STATES:
                counts[_S.FAILED] += 1
            elif state is _S.SKIPPED:
                counts[_S.SKIPPED] += 1
            elif state not in FINISHED:
                is_waiting = True
    if counts[_S.FAILED]:
        return Verdict.UPSTREAM_FAILED
    if counts[_S.SKIPPED]:
        return Verdict.SKIP
    return Verdict.WAIT if is_waiting else Verdict.RUN


def _grow(board: Board, task_id: str) -> Assessment:
    count = count_instances(board.structure, task_id, board.results)
    if count is NoLength.WAITING:
        return Wait.LENGTH
    if isinstance(count, NoLength):
        return Move(
            _S.UPSTREAM_FAILED, "a task that it is mapped over left no result that can be mapped"
        )
    if count == 0:
        return Move(_S.SKIPPED, "there is nothing to map: the length is 0")
    return Grow(count)
