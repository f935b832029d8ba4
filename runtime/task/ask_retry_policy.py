"""A task's own retry policy is asked what becomes of its failed try (semantics section 2.2)."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from ...sdk.context import Context
from ...sdk.retry_policy import RetryAction, RetryDecision
from ...sdk.timezone import utcnow
from . import outcome
from .outcome import Ending
from .task_spec import TaskInstanceSpec


def apply_retry_policy(
    ending: Ending,
    error: Exception,
    task: Any,
    spec: TaskInstanceSpec,
    context: Context,
    log: logging.Logger,
) -> None:
    """Let the policy of *task*, if it has one, change *ending*, that of a try that failed.

    A policy that raises, or that answers something else, counts as if it were not there.
    """
    policy = getattr(task, "retry_policy", None)
    if policy is None:
        return
    try:
        decision = policy.evaluate(error, spec.try_number, spec.tries_max, context)
    except Exception:
        log.exception("The retry policy failed; the task is retried as without it")
        return
    if not isinstance(decision, RetryDecision):
        log.error("The retry policy answered %r, which is no RetryDecision", decision)
        return
    if decision.action is RetryAction.DEFAULT:
        return
    log.info("The retry policy says: %s (%s)", decision.action.value, decision.reason or "")
    if decision.action is RetryAction.FAIL:
        ending.outcome = outcome.FAILED_FINAL
    elif isinstance(decision.retry_delay, timedelta):
        ending.due_at = utcnow() + decision.retry_delay
