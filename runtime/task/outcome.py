"""What the end of a task's code means (semantics section 5.6)."""

from __future__ import annotations

import os
import traceback as traceback_module
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ...sdk import xcom_serialization
from ...sdk.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    DownstreamTasksSkipped,
    TaskDeferred,
)
from ...sdk.timezone import make_aware, plain_utc

_OWN_FOLDERS = tuple(
    str(Path(__file__).parents[2] / name) + os.sep for name in ("operators", "runtime", "sdk")
)

SUCCESS = "success"
SKIPPED = "skipped"
#: An exception may carry a whole data set; what is stored and shown of it has an end.
REASON_LENGTH_MAX = 2_000
TRACEBACK_LENGTH_MAX = 100_000

FAILED = "failed"
FAILED_FINAL = "failed_final"
RESCHEDULED = "rescheduled"
DEFERRED = "deferred"


@dataclass(slots=True)
class Ending:
    """How the code of a task ended. ``error`` is what it raised, if anything."""

    outcome: str
    reason: str = ""
    error: BaseException | None = None
    due_at: datetime | None = None
    trigger: dict[str, Any] | None = None
    skip_task_ids: list[str] = field(default_factory=list)

    @property
    def is_failure(self) -> bool:
        """Whether the try failed."""
        return self.outcome in (FAILED, FAILED_FINAL)


def judge_error(error: BaseException) -> Ending:
    """Return what an exception that left the task means."""
    if isinstance(error, AirflowSkipException):
        return Ending(SKIPPED, _text_of(error), error)
    if isinstance(error, (AirflowFailException, AirflowSensorTimeout)):
        return Ending(FAILED_FINAL, describe(error), error)
    if isinstance(error, AirflowRescheduleException):
        due_at = error.reschedule_date
        aware = due_at if due_at.tzinfo is not None else make_aware(due_at)
        reason = f"rescheduled until {aware.isoformat()}"
        return Ending(RESCHEDULED, reason, due_at=plain_utc(aware))
    if isinstance(error, TaskDeferred):
        return Ending(DEFERRED, "waits for a trigger", trigger=describe_deferral(error))
    if isinstance(error, DownstreamTasksSkipped):
        ids = [task if isinstance(task, str) else task[0] for task in error.tasks]
        return Ending(SUCCESS, skip_task_ids=ids)
    if isinstance(error, SystemExit):
        return _judge_exit(error)
    return Ending(FAILED, describe(error), error)


def _judge_exit(error: SystemExit) -> Ending:
    """``sys.exit()`` and ``sys.exit(0)`` are a success (semantics section 11, row 10)."""
    if error.code is None or error.code == 0:
        return Ending(SUCCESS)
    if isinstance(error.code, int):
        return Ending(FAILED, f"exit code {int(error.code)}", error)
    return Ending(FAILED, f"exit code 1: {_text_of(error.code)}", error)


def describe(error: BaseException) -> str:
    """Return an exception as one line: its type and its text."""
    text = " ".join(_text_of(error).split())
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def _text_of(value: object) -> str:
    try:
        return str(value)
    except BaseException as error:  # noqa: BLE001 - user code, and not worth the result of a try
        return f"<its text cannot be had: str() raised {type(error).__name__}>"


def traceback_of(error: BaseException) -> str:
    """Return the traceback as Python prints it."""
    try:
        return "".join(traceback_module.format_exception(error))
    except BaseException:  # noqa: BLE001 - the text of an exception is user code
        return describe(error)


def storable(text: str, length_max: int) -> str:
    """Return *text* as every database takes it: no lone surrogates, no NUL, and not too long.

    Of a longer one beginning and end are kept.
    """
    if len(text) > length_max:
        kept = length_max // 2
        text = f"{text[:kept]} … {text[-kept:]}"
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def begin_traceback_in_user_code(error: BaseException) -> None:
    """Drop the frames of ours with which a traceback begins: they are the same for every task.

    Where no frame is the user's, all are kept.
    """
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_OWN_FOLDERS):
        frame = frame.tb_next
    if frame is not None:
        error.__traceback__ = frame


def describe_deferral(deferral: TaskDeferred) -> dict[str, Any]:
    """Return what a triggerer needs: the trigger, and where the task goes on."""
    class_path, arguments = deferral.trigger.serialize()
    text, _ = xcom_serialization.encode(arguments, task_id="", key="trigger")
    next_kwargs, _ = xcom_serialization.encode(
        deferral.kwargs or {}, task_id="", key=deferral.method_name
    )
    timeout = deferral.timeout
    return {
        "class_path": class_path,
        "kwargs": text,
        "next_method": deferral.method_name,
        "next_kwargs": next_kwargs,
        "timeout_s": None if timeout is None else timeout.total_seconds(),
    }
