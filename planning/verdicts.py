"""What the end of an attempt means for its task instance.

Source: ``spec/semantics.md`` sections 2.2 and 5.6; ``spec/reliability.md`` section 4 for lost ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..sdk.serialized import SerializedTask
from ..sdk.states import TaskInstanceState
from .retry import RETRY_DELAY_MAX_S, retry_delay

_S = TaskInstanceState

#: A task instance over which so many workers (or task hosts) in a row died is poison.
DEATHS_MAX = 3
#: How long a file that is not where its task was to run may be on its way there.
ABSENT_DELAY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class ResultVerdict:
    """The state that follows. ``due_at``: when an up_for_retry or reschedule may go on."""

    new_state: TaskInstanceState
    due_at: datetime | None = None
    reason: str = ""


def judge_result(
    outcome: str,
    *,
    dag_id: str,
    task: SerializedTask,
    try_number: int,
    tries_max: int,
    logical_date: datetime | None,
    ended_at: datetime,
    due_at: datetime | None = None,
    has_entered: bool = True,
    is_restarting: bool = False,
    reason: str = "",
    deaths: int = 0,
    was_absent: bool = False,
    retry_delay_max_s: float = RETRY_DELAY_MAX_S,
) -> ResultVerdict:
    """Return what becomes of a running task instance whose attempt has ended.

    Args:
        outcome: as ``AttemptResult.outcome``: success, skipped, failed, failed_final,
            rescheduled, deferred, lost, returned: nobody died, and its code did not begin; or
            absent: its file, or its task in that file, is not where it was to run.
        try_number: of this try, 1 for the first.
        tries_max: ``max_tries``: retries, raised by every clear.
        due_at: the instant of the next poke (rescheduled), or of a retry that names its own.
        has_entered: user code had begun. A lost attempt that had not gives its try back: the
            instance is scheduled again (G-E6).
        is_restarting: a person cleared it while it ran: it is tried again whatever the count.
        reason: why it ended, shown to people.
        deaths: how often in a row what ran it has died, this time included. At ``DEATHS_MAX``
            it fails, whatever its retries, and whether or not its code had begun: it would
            take one worker after the other with it (``reliability.md`` B11).
        was_absent: this try was not to be found once before. The first time it is looked for
            again in ``ABSENT_DELAY``, for files may be on their way; then it fails (B7).

    Raises:
        ValueError: no rule covers the outcome.
    """
    if outcome == "success":
        return ResultVerdict(_S.SUCCESS, reason=reason)
    if outcome == "skipped":
        return ResultVerdict(_S.SKIPPED, reason=reason)
    if outcome == "rescheduled":
        return ResultVerdict(_S.UP_FOR_RESCHEDULE, due_at or ended_at, reason)
    if outcome == "deferred":
        return ResultVerdict(_S.DEFERRED, reason=reason)
    if outcome == "lost" and deaths >= DEATHS_MAX:
        return ResultVerdict(_S.FAILED, reason=f"poison: what ran it died {deaths} times: {reason}")
    if outcome == "returned" or (outcome == "lost" and not has_entered):
        return ResultVerdict(
            _S.SCHEDULED, reason=f"{reason or 'lost'}, before its code began: the try is not used"
        )
    if outcome == "failed_final":
        return ResultVerdict(_S.FAILED, reason=reason)
    if outcome == "absent" and not was_absent:
        due_at = ended_at + ABSENT_DELAY
        delay_s = ABSENT_DELAY.total_seconds()
        return ResultVerdict(
            _S.UP_FOR_RESCHEDULE,
            due_at,
            f"{reason}; looked for again in {delay_s:g} s, the try is not used",
        )
    if outcome not in ("failed", "lost", "absent"):
        raise ValueError(f"an attempt cannot end as {outcome!r}")
    if is_restarting:
        return ResultVerdict(_S.UP_FOR_RETRY, ended_at, reason)
    if task.retries <= 0 or try_number > tries_max:
        return ResultVerdict(_S.FAILED, reason=reason)
    if due_at is None:
        due_at = ended_at + retry_delay(
            dag_id=dag_id,
            task=task,
            logical_date=logical_date,
            try_number=try_number,
            delay_max_s=retry_delay_max_s,
        )
    return ResultVerdict(_S.UP_FOR_RETRY, due_at, reason)
