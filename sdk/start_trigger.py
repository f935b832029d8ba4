"""``start_from_trigger``: what the serialized DAG says of a task that begins deferred."""

from __future__ import annotations

from typing import Any

from .exceptions import InvalidValueError


def start_trigger_of(task: Any) -> dict[str, Any] | None:
    """Return what the task's first trigger is made of, None where it begins in a process.

    Raises:
        ValueError: an argument of the trigger is a function, or cannot be stored.
    """
    arguments = task.start_trigger_args
    if not task.start_from_trigger or arguments is None:
        return None
    from .xcom_serialization import encode

    trigger_kwargs = arguments.trigger_kwargs or {}
    for name, value in trigger_kwargs.items():
        if callable(value):
            raise InvalidValueError(
                f"the task {task.task_id!r} starts from a trigger, so {name!r} cannot be a function"
            )
    if any(
        isinstance(one, str) and ("{{" in one or "{%" in one) for one in trigger_kwargs.values()
    ):
        return None  # its template needs a run: the task begins in a process, and defers there
    timeout = arguments.timeout
    return {
        "class_path": arguments.trigger_cls,
        "kwargs": encode(dict(trigger_kwargs), task_id=task.task_id, key="trigger")[0],
        "next_method": arguments.next_method,
        "next_kwargs": encode(
            dict(arguments.next_kwargs or {}), task_id=task.task_id, key="next_kwargs"
        )[0],
        "timeout_s": None if timeout is None else timeout.total_seconds(),
    }
