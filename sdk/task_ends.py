"""How a task ends, or waits: what operators and tasks raise to say so.

Users know them as ``airflow.exceptions``; ``exceptions.py`` holds the other errors, and names
these too. ``AirflowTaskTimeout``, ``TaskDeferred`` and the like do not descend from
``Exception``, so user code's ``except Exception`` lets them pass.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from .errors import AirflowException

__all__ = [
    "AirflowExecuteWithInactiveAssetExecption",
    "AirflowFailException",
    "AirflowInactiveAssetAddedToAssetAliasException",
    "AirflowInactiveAssetInInletOrOutletException",
    "AirflowInternalRuntimeError",
    "AirflowRescheduleException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "AirflowTaskTerminated",
    "AirflowTaskTimeout",
    "DagRunTriggerException",
    "DownstreamTasksSkipped",
    "TaskAlreadyRunningError",
    "TaskAwaitingInput",
    "TaskDeferralError",
    "TaskDeferralTimeout",
    "TaskDeferred",
]


class AirflowSkipException(AirflowException):
    """Raised by a task: end it as skipped."""


class AirflowFailException(AirflowException):
    """Raised by a task: end it as failed, without a retry."""


class AirflowSensorTimeout(AirflowException):
    """A sensor waited longer than its timeout. Never retried."""


class AirflowRescheduleException(AirflowException):
    """A sensor gives its slot back until *reschedule_date* (an aware datetime)."""

    def __init__(self, reschedule_date: datetime) -> None:
        super().__init__(reschedule_date)
        self.reschedule_date = reschedule_date


class AirflowInactiveAssetInInletOrOutletException(AirflowException):
    """A task names an asset that is not active."""

    def __init__(self, inactive_asset_keys: Collection[Any] = ()) -> None:
        super().__init__(inactive_asset_keys)
        self.inactive_asset_keys = inactive_asset_keys

    def __str__(self) -> str:
        named = ", ".join(str(key) for key in self.inactive_asset_keys)
        return f"another asset has the name or the URI of these by now: {named}"


class AirflowInactiveAssetAddedToAssetAliasException(AirflowInactiveAssetInInletOrOutletException):
    """An inactive asset was added to an alias."""


AirflowExecuteWithInactiveAssetExecption = AirflowInactiveAssetInInletOrOutletException


class DownstreamTasksSkipped(AirflowException):
    """Raised by a branch: the task succeeded, and *tasks* (ids) are skipped."""

    def __init__(self, *, tasks: Sequence[str | tuple[str, int]]) -> None:
        super().__init__(tasks)
        self.tasks = tasks


class DagRunTriggerException(AirflowException):
    """Raised by an operator: trigger another DAG, as the attributes say."""

    def __init__(self, **request: Any) -> None:
        super().__init__(request)
        for name, value in request.items():
            setattr(self, name, value)


class TaskAlreadyRunningError(AirflowException):
    """The task instance is already running elsewhere."""


class AirflowTaskTimeout(BaseException):
    """``execution_timeout`` is over. Not an ``Exception``: user code must not swallow it."""


class AirflowTaskTerminated(BaseException):
    """The task's process was asked to end."""


class AirflowInternalRuntimeError(BaseException):
    """Something inside the runner went wrong."""


class TaskDeferred(BaseException):
    """Raised by an operator: wait for *trigger*, then call *method_name*.

    ``timeout`` is a timedelta or a number of seconds.
    """

    def __init__(
        self,
        *,
        trigger: Any,
        method_name: str,
        kwargs: dict[str, Any] | None = None,
        timeout: timedelta | int | float | None = None,
    ) -> None:
        super().__init__()
        if timeout is not None and not isinstance(timeout, (timedelta, int, float)):
            raise ValueError("timeout must be a timedelta or a number of seconds")
        self.trigger = trigger
        self.method_name = method_name
        self.kwargs = kwargs
        self.timeout = timedelta(seconds=timeout) if isinstance(timeout, (int, float)) else timeout

    def __repr__(self) -> str:
        return f"<TaskDeferred trigger={self.trigger} method={self.method_name}>"


class TaskAwaitingInput(BaseException):
    """Raised by an operator that has asked a person: wait, then call *method_name*.

    It is given the answer as ``event``. ``timeout`` is a timedelta or a number of seconds, after
    which the question's defaults are chosen, or the event says that nobody has answered.
    """

    def __init__(
        self,
        *,
        method_name: str,
        kwargs: dict[str, Any] | None = None,
        timeout: timedelta | int | float | None = None,
    ) -> None:
        super().__init__()
        self.method_name = method_name
        self.kwargs = kwargs
        self.timeout = timedelta(seconds=timeout) if isinstance(timeout, (int, float)) else timeout


class TaskDeferralError(AirflowException):
    """A trigger failed, or ended without an event."""


class TaskDeferralTimeout(AirflowException):
    """A deferral's own timeout is over."""
