"""When a failed try is tried again. Source: ``spec/semantics.md`` section 2.2."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timedelta

from ..sdk.serialized import SerializedTask

#: Airflow's ``[core] max_task_retry_delay``: one day.
RETRY_DELAY_MAX_S = 86_400.0


def retry_delay(
    *,
    dag_id: str,
    task: SerializedTask,
    logical_date: datetime | None,
    try_number: int,
    delay_max_s: float = RETRY_DELAY_MAX_S,
) -> timedelta:
    """Return how long after its end a failed try is tried again.

    Without back-off that is the task's own delay, uncapped. With back-off it grows with every
    try and is spread over [base, 2 x base) by a hash, so that many tasks that failed together
    do not come back together, and yet each plan can be repeated.

    Args:
        try_number: of the try that has just failed, 1 for the first.
        delay_max_s: seconds; the setting ``max_task_retry_delay``.
    """
    multiplier = task.retry_exponential_backoff
    if multiplier in (0, 1):
        return timedelta(seconds=task.retry_delay_s)
    try:
        base = max(1, math.ceil(task.retry_delay_s * multiplier ** (try_number - 1)))
    except OverflowError:
        return _capped(delay_max_s, task, delay_max_s)
    text = f"{dag_id}#{task.task_id}#{_date_text(logical_date)}#{try_number}"
    digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return _capped(float(base + int(digest, 16) % base), task, delay_max_s)


def _date_text(logical_date: datetime | None) -> str:
    # As ``str`` writes an aware instant: 2024-01-01 00:00:00+00:00.
    return "None" if logical_date is None else logical_date.isoformat(sep=" ")


def _capped(delay_s: float, task: SerializedTask, delay_max_s: float) -> timedelta:
    delay_s = min(delay_s, delay_max_s)
    if task.retry_delay_max_s is not None:
        delay_s = min(delay_s, task.retry_delay_max_s)
    return timedelta(seconds=delay_s)
