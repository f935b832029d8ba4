"""Why a task instance is where it is, in sentences: the answer of the functions that decide.

Nothing here judges anew. What ``decide`` would do with the instance is asked of ``assess``, what
holds a scheduled one of ``choose``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..sdk.states import FINISHED, UNFINISHED, DagRunState, TaskInstanceState
from ..sdk.trigger_rules import Upstream
from .assess import Grow, Move, Wait, assess, may_go_at
from .choose import Blocked
from .snapshot import InstanceSnapshot, Past, RunSnapshot
from .upstream import Board

_S = TaskInstanceState

_ON_ITS_WAY: Mapping[TaskInstanceState, str] = {
    _S.QUEUED: "it is queued: no runner has taken it yet",
    _S.RUNNING: "it is running",
    _S.DEFERRED: "it is deferred: its trigger has not fired yet",
    _S.RESTARTING: "it was cleared while it ran: its process is being stopped",
}


def explain(
    snapshot: RunSnapshot,
    task_id: str,
    map_index: int,
    now: datetime,
    *,
    is_paused: bool = False,
    blocked: Blocked | None = None,
) -> list[str]:
    """Return why a task instance waits, most binding first; empty: nothing holds it.

    Args:
        is_paused: the DAG is paused.
        blocked: what ``choose`` says of it, for a scheduled instance.
    """
    instance = _find(snapshot, task_id, map_index)
    if instance is None:
        return [f"the run has no instance of {task_id}" + _index_text(map_index)]
    if instance.state in FINISHED:
        return [f"it is finished: {instance.state}"]
    reasons = _run_reasons(snapshot, is_paused=is_paused)
    if task_id not in snapshot.structure.tasks:
        return [*reasons, "the DAG version of its run no longer has this task"]
    if instance.state in _ON_ITS_WAY:
        return [*reasons, _ON_ITS_WAY[instance.state]]
    if instance.state is _S.SCHEDULED:
        if blocked is not None:
            reasons.append(blocked.reason)
        return reasons or ["it is scheduled: it is queued next"]
    return [*reasons, *_wait_reasons(Board(snapshot), instance, now)]


def _find(snapshot: RunSnapshot, task_id: str, map_index: int) -> InstanceSnapshot | None:
    instances = snapshot.instances.get(task_id, ())
    return next((one for one in instances if one.map_index == map_index), None)


def _index_text(map_index: int) -> str:
    return f" with map index {map_index}" if map_index >= 0 else ""


def _run_reasons(snapshot: RunSnapshot, *, is_paused: bool) -> list[str]:
    reasons: list[str] = []
    if is_paused:
        reasons.append(f"DAG {snapshot.dag_id} is paused")
    if snapshot.state is DagRunState.QUEUED:
        reasons.append("its run is queued: it starts when max_active_runs allows")
    elif snapshot.state is not DagRunState.RUNNING:
        reasons.append(f"its run has ended: {snapshot.state}")
    return reasons


def _wait_reasons(board: Board, instance: InstanceSnapshot, now: datetime) -> list[str]:
    answer = assess(board, instance, now)
    if isinstance(answer, Move):
        return [f"it goes to {answer.new} next: {answer.reason}"]
    if isinstance(answer, Grow):
        return [f"it is expanded next: there are {answer.length} to map"]
    return [_wait_reason(board, instance, answer)]


def _wait_reason(board: Board, instance: InstanceSnapshot, wait: Wait) -> str:
    task_id, map_index = instance.task_id, instance.map_index
    if wait is Wait.TIME:
        return f"it is {instance.state}: it goes on at {may_go_at(instance)}"
    if wait is Wait.PAST:
        return _past_reason(board, task_id)
    named = board.describe(task_id, map_index, UNFINISHED)
    if wait is Wait.LENGTH:
        return f"how many instances it has is not known yet: {named}"
    if wait is Wait.SETUP:
        return f"its setups have not finished: {named}"
    rule = board.structure.trigger_rules[task_id]
    counts = _counts_text(board.upstream(task_id, map_index))
    return f"trigger rule {rule}: {counts}" + (f" ({named})" if named else "")


def _past_reason(board: Board, task_id: str) -> str:
    rule = "depends_on_past"
    if board.structure.tasks[task_id].wait_for_downstream:
        rule = "wait_for_downstream"
    if board.snapshot.past.get(task_id) is Past.BLOCKED:
        return f"{rule}: it did not succeed in the previous run; clear it or mark it there"
    return f"{rule}: it has not finished in the previous run"


def _counts_text(upstream: Upstream) -> str:
    parts = [
        f"{count} {word}"
        for word, count in (
            ("success", upstream.success),
            ("skipped", upstream.skipped),
            ("failed", upstream.failed),
            ("upstream_failed", upstream.upstream_failed),
            ("removed", upstream.removed),
        )
        if count
    ]
    ended = f", {' and '.join(parts)}" if parts else ""
    return f"{upstream.done} of {upstream.total} upstream have finished{ended}"
