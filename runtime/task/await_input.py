"""Lets a task wait for a person: it is deferred to a trigger that looks for the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...sdk import timezone, xcom_serialization
from ...sdk.exceptions import InvalidUseError, TaskAwaitingInput, TaskDeferred
from ...sdk.human_input import QUESTION_KEY

if TYPE_CHECKING:
    from ...sdk.task_runtime import TaskRuntime


def as_deferral(request: TaskAwaitingInput, ti: Any, runtime: TaskRuntime) -> TaskDeferred:
    """Return the deferral that waits for the answer to the question that the task has stored.

    Raises:
        InvalidUseError: it has stored none.
    """
    from ...operators.human_questions import place_of
    from ...operators.triggers.hitl import HITLTrigger

    place = place_of(ti)
    rows = runtime.get_xcoms(
        dag_id=place["dag_id"],
        run_id=place["run_id"],
        task_ids=[place["task_id"]],
        key=QUESTION_KEY,
        map_indexes=[place["map_index"]],
        include_prior_dates=False,
    )
    if not rows:
        raise InvalidUseError(
            f"the task {ti.task_id!r} waits for a person, but has asked nothing: call "
            "upsert_hitl_detail first"
        )
    question = xcom_serialization.decode(rows[0].value)
    timeout_at = None
    if request.timeout is not None:
        timeout_at = timezone.plain_utc(timezone.utcnow()) + request.timeout
    return TaskDeferred(
        trigger=HITLTrigger(place, question["defaults"], question["params"], timeout_at),
        method_name=request.method_name,
        kwargs=request.kwargs,
    )


def look_at_event(kwargs: dict[str, Any]) -> None:
    """Store what time has answered, before the task goes on with it."""
    event = kwargs.get("event")
    if isinstance(event, dict) and "timedout" in event:
        from ...operators.human_questions import keep_late_answer

        keep_late_answer(event)
