"""What a deferred task waits for: ``BaseTrigger`` and its events (semantics sections 6.4 to 6.6).

A trigger is made in the task process, crosses over as a class path with arguments, and runs in
the triggerer, beside thousands of others on one event loop.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

#: ``next_method`` of a task instance whose trigger failed or was too late: it ends in that error.
FAIL_METHOD = "__fail__"
TIMEOUT_REASON = "Trigger timeout"
FAILURE_REASON = "Trigger failure"


class TriggerEvent:
    """What a trigger says when it fires; *payload* is handed to the method that goes on."""

    #: The state in which the event ends its task without a process; None: the task goes on.
    task_instance_state: str | None = None

    def __init__(self, payload: Any = None) -> None:
        self.payload = payload

    def __repr__(self) -> str:
        return f"{type(self).__name__}<{self.payload!r}>"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.payload == self.payload

    def __hash__(self) -> int:
        return hash((type(self), repr(self.payload)))


class BaseTaskEndEvent(TriggerEvent):
    """An event that ends its task at once, with *xcoms* as what it pushed."""

    def __init__(self, *, xcoms: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(payload=str(self.task_instance_state))
        self.xcoms = dict(xcoms) if xcoms else None


class TaskSuccessEvent(BaseTaskEndEvent):
    """The task ends as a success."""

    task_instance_state = "success"


class TaskFailedEvent(BaseTaskEndEvent):
    """The task ends as failed."""

    task_instance_state = "failed"


class TaskSkippedEvent(BaseTaskEndEvent):
    """The task ends as skipped."""

    task_instance_state = "skipped"


class BaseTrigger:
    """Superclass of all triggers: define ``serialize`` and ``run``."""

    supports_triggerer_queue: bool = True

    def __init__(self, **kwargs: Any) -> None:
        self.task_instance: Any = None
        self.trigger_id: int | None = None

    @property
    def log(self) -> logging.Logger:
        """The logger of the trigger's class."""
        return logging.getLogger(f"{type(self).__module__}.{type(self).__qualname__}")

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the dotted path of the class, and the arguments that make an equal trigger."""
        raise NotImplementedError(f"{type(self).__name__} does not define serialize()")

    def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait without blocking the event loop, then yield a ``TriggerEvent``."""
        raise NotImplementedError(f"{type(self).__name__} does not define run()")

    async def cleanup(self) -> None:
        """Tidy up; called whenever the trigger stops running, for whatever reason."""

    async def on_kill(self) -> None:
        """Stop what the trigger watches; called when a person ended the task."""

    def __repr__(self) -> str:
        class_path, arguments = self.serialize()
        text = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        return f"<{class_path} {text}>"


class BaseEventTrigger(BaseTrigger):
    """A trigger that may also watch for events of assets."""

    @staticmethod
    def hash(classpath: str, kwargs: Mapping[str, Any]) -> int:
        """Return a number that is equal for equal triggers."""
        return hash((classpath, repr(sorted(kwargs.items()))))


@dataclass
class StartTriggerArgs:
    """How a task with ``start_from_trigger`` begins: deferred, without a process."""

    trigger_cls: str
    next_method: str
    trigger_kwargs: dict[str, Any] | None = None
    next_kwargs: dict[str, Any] | None = None
    timeout: timedelta | None = field(default=None)
