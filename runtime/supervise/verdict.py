"""What the end of a task process means. Pure: facts in, an ``AttemptResult`` out.

A try succeeds only if its result frame arrived *and* its process ended with exit code 0; every
other end is a failure that names its cause. Source: ``spec/reliability.md``, C1 to C4.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from datetime import datetime

from ...database.values import AttemptResult, Claim, XComWrite
from ..task.task_spec import TaskResult
from .processes import TaskEnded
from .zygote_client import describe_exit

FAILED = "failed"
FAILED_FINAL = "failed_final"
LOST = "lost"
ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """What the runner knows of an attempt besides how its process ended."""

    claim: Claim
    ended_at: datetime
    started_at: datetime | None
    has_entered: bool
    hostname: str
    log_path: str
    #: Why the runner stopped it, in words for people; empty: it was left alone.
    stopped_because: str = ""


def judge_end(facts: AttemptFacts, ended: TaskEnded) -> AttemptResult:
    """Return the result to be written for an attempt whose process is gone."""
    result = ended.result
    if result is not None and ended.exit_code == 0 and not ended.error:
        if not facts.stopped_because or result.outcome != FAILED:
            return _from_task(facts, ended, result)
        # Its own text is only "received SIGTERM"; who sent it and why is what people ask.
        return _failed(facts, ended, FAILED, facts.stopped_because)
    if facts.stopped_because:
        return _failed(facts, ended, FAILED, facts.stopped_because)
    if ended.is_absent:
        return _failed(facts, ended, ABSENT, ended.error)
    if ended.is_host_lost and not facts.has_entered:
        return _failed(facts, ended, LOST, ended.error or "its task host died")
    return _failed(facts, ended, FAILED, describe_end(ended))


def describe_end(ended: TaskEnded) -> str:
    """Say in one line how a process ended that brought no valid result."""
    if ended.error:
        return ended.error
    if ended.is_out_of_memory:
        return "out of memory: killed by the kernel (signal 9, SIGKILL)"
    if ended.signal is not None:
        return _named_signal(ended.signal)
    if ended.exit_code is None:
        return "its process is gone, and how it ended could not be seen"
    if ended.exit_code == 0:
        return "the process ended without a result (exit code 0)"
    return f"exit code {ended.exit_code}"


def describe_import_end(claim: Claim, status: int | None) -> str:
    """Say how a process ended that was importing a DAG file; *status* as ``waitpid`` gives it."""
    what = f"importing {claim.relative_fileloc or claim.fileloc} ended its process"
    if status is None:
        return what
    code, number = describe_exit(status)
    return f"{what}: exit code {code}" if number is None else f"{what}: {_named_signal(number)}"


def _named_signal(number: int) -> str:
    return f"signal {number} ({signal_name(number)})"


def signal_name(number: int) -> str:
    """Return ``SIGKILL`` for 9, and the number's text where it has no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def verdict_line(result: AttemptResult) -> str:
    """Return the line with which the log of an attempt ends."""
    line = f"Task ended: {result.outcome}"
    return f"{line} ({result.reason})" if result.reason else line


def verdict_of_left(has_begun: bool) -> str:
    """Return the last line of a log whose runner died; *has_begun*: user code had."""
    if has_begun:
        return "Task ended: lost (its runner died, and the task with it)"
    return "Given back: its runner died before it began"


def unstorable(result: AttemptResult, error: Exception) -> AttemptResult:
    """Return what is written of a result that the store refuses: a failure that says why."""
    return AttemptResult(
        task_instance_id=result.task_instance_id,
        epoch=result.epoch,
        claim_id=result.claim_id,
        outcome=FAILED,
        reason=f"its result could not be stored: {error}"[:2000],
        ended_at=result.ended_at,
        started_at=result.started_at,
        exit_code=result.exit_code,
        signal=result.signal,
        has_entered=result.has_entered,
        code_hash=result.code_hash,
        hostname=result.hostname,
        pid=result.pid,
        log_path=result.log_path,
        has_run_callbacks=result.has_run_callbacks and result.outcome in (FAILED, FAILED_FINAL),
    )


def _from_task(facts: AttemptFacts, ended: TaskEnded, result: TaskResult) -> AttemptResult:
    return AttemptResult(
        task_instance_id=facts.claim.task_instance_id,
        epoch=facts.claim.epoch,
        claim_id=facts.claim.claim_id,
        outcome=result.outcome,
        reason=result.reason,
        ended_at=facts.ended_at,
        started_at=facts.started_at,
        exit_code=ended.exit_code,
        signal=ended.signal,
        has_entered=result.outcome != ABSENT,
        xcoms=[XComWrite(xcom.key, xcom.value, xcom.length) for xcom in result.xcoms],
        due_at=result.due_at,
        trigger=result.trigger,
        skip_task_ids=result.skip_task_ids,
        rendered_map_index=result.rendered_map_index,
        rendered_fields=result.rendered_fields,
        asset_events=result.asset_events,
        code_hash=ended.code_hash or None,
        hostname=facts.hostname,
        pid=ended.pid,
        log_path=facts.log_path,
        has_run_callbacks=result.has_run_callbacks,
        traceback=result.traceback,
    )


def _failed(facts: AttemptFacts, ended: TaskEnded, outcome: str, reason: str) -> AttemptResult:
    # What the process called, it called for its own verdict: a success, or one that never
    # came, leaves the failure callbacks to the outbox.
    said = ended.result
    return AttemptResult(
        task_instance_id=facts.claim.task_instance_id,
        epoch=facts.claim.epoch,
        claim_id=facts.claim.claim_id,
        outcome=outcome,
        reason=reason,
        ended_at=facts.ended_at,
        started_at=facts.started_at,
        exit_code=ended.exit_code,
        signal=ended.signal,
        has_entered=facts.has_entered,
        code_hash=ended.code_hash or None,
        hostname=facts.hostname,
        pid=ended.pid,
        log_path=facts.log_path,
        has_run_callbacks=(
            said is not None and said.has_run_callbacks and said.outcome in (FAILED, FAILED_FINAL)
        ),
    )
