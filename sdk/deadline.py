"""Deadline alerts: what is to be called when a run has not ended by some instant.

``DAG(deadline=DeadlineAlert(reference, interval, callback))``: the deadline is the reference plus
the interval. The scheduler computes it when the run is made; a callback child calls what is to be
called, once. Source: ``spec/semantics.md`` section 10.5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from . import timezone
from .exceptions import InvalidArgumentError, InvalidValueError
from .import_string import import_string

#: Of a path that is no function yet when the file is imported.
CONTEXT_NAME = "context"


class Callback:
    """Something to be called later: a function, a notifier's class, or the path of either.

    Args:
        callback_callable: called with *kwargs*, and with ``context`` where it takes that.
        kwargs: texts in it may be templates; ``context`` is ours to give.
    """

    def __init__(
        self, callback_callable: Callable[..., Any] | str, kwargs: Mapping[str, Any] | None = None
    ) -> None:
        if isinstance(callback_callable, str):
            if "." not in callback_callable:
                raise InvalidValueError(
                    f"a callback is named by its dotted path, not by {callback_callable!r}"
                )
        elif not callable(callback_callable):
            raise InvalidValueError(f"{callback_callable!r} cannot be called")
        if kwargs and CONTEXT_NAME in kwargs:
            raise InvalidValueError("'context' is given to every callback; call yours otherwise")
        self._callable = callback_callable
        self.kwargs = dict(kwargs or {})

    @property
    def path(self) -> str:
        """The dotted path of what is called."""
        if isinstance(self._callable, str):
            return self._callable
        return f"{self._callable.__module__}.{self._callable.__qualname__}"

    def resolve(self) -> Callable[..., Any]:
        """Return what is called.

        Raises:
            ImportError: the path leads nowhere.
        """
        if isinstance(self._callable, str):
            found: Callable[..., Any] = import_string(self._callable)
            return found
        return self._callable

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return (self.path, self.kwargs) == (other.path, other.kwargs)

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.path})"


class AsyncCallback(Callback):
    """Awaited in an event loop of its own."""


class SyncCallback(Callback):
    """Called in a process of its own. ``executor`` is accepted: where it runs is ours to say."""

    def __init__(
        self,
        callback_callable: Callable[..., Any] | str,
        kwargs: Mapping[str, Any] | None = None,
        executor: str | None = None,
    ) -> None:
        super().__init__(callback_callable, kwargs)
        self.executor = executor


class BaseDeadlineReference:
    """What a deadline counts from. ``kind`` and ``options`` are what the scheduler is told."""

    kind: ClassVar[str] = ""

    @property
    def reference_name(self) -> str:
        """The name of the class."""
        return type(self).__name__

    def options(self) -> dict[str, Any]:
        """Return what the kind needs besides the run."""
        return {}


@dataclass(frozen=True)
class DagRunLogicalDateDeadline(BaseDeadlineReference):
    """The logical date; a run without one has no deadline."""

    kind: ClassVar[str] = "logical_date"


@dataclass(frozen=True)
class DagRunQueuedAtDeadline(BaseDeadlineReference):
    """When the run was queued, and again when it is cleared."""

    kind: ClassVar[str] = "queued_at"


@dataclass(frozen=True)
class FixedDatetimeDeadline(BaseDeadlineReference):
    """One instant."""

    at: datetime
    kind: ClassVar[str] = "fixed"

    def options(self) -> dict[str, Any]:
        return {"at": timezone.plain_utc(timezone.convert_to_utc(self.at))}


@dataclass(frozen=True)
class AverageRuntimeDeadline(BaseDeadlineReference):
    """Now, plus the mean duration of the newest successful runs."""

    max_runs: int
    min_runs: int | None = None
    kind: ClassVar[str] = "average_runtime"
    DEFAULT_LIMIT: ClassVar[int] = 10

    def __post_init__(self) -> None:
        least = self.max_runs if self.min_runs is None else self.min_runs
        if self.max_runs < 1 or least < 1 or least > self.max_runs:
            raise InvalidValueError(
                "AVERAGE_RUNTIME needs 1 <= min_runs <= max_runs, not "
                f"min_runs={self.min_runs!r} and max_runs={self.max_runs!r}"
            )

    def options(self) -> dict[str, Any]:
        return {
            "max_runs": self.max_runs,
            "min_runs": self.max_runs if self.min_runs is None else self.min_runs,
        }


class DeadlineReference:
    """The references, by name."""

    DAGRUN_LOGICAL_DATE: ClassVar[BaseDeadlineReference] = DagRunLogicalDateDeadline()
    DAGRUN_QUEUED_AT: ClassVar[BaseDeadlineReference] = DagRunQueuedAtDeadline()

    @classmethod
    def AVERAGE_RUNTIME(  # noqa: N802 - Airflow's name
        cls, max_runs: int = 0, min_runs: int | None = None
    ) -> BaseDeadlineReference:
        """Return the mean duration of at most *max_runs* runs (0: 10), from now."""
        return AverageRuntimeDeadline(max_runs or AverageRuntimeDeadline.DEFAULT_LIMIT, min_runs)

    @classmethod
    def FIXED_DATETIME(cls, dt: datetime) -> BaseDeadlineReference:  # noqa: N802 - as above
        """Return one instant."""
        return FixedDatetimeDeadline(dt)

    @classmethod
    def register_custom_reference(
        cls, reference_class: type[BaseDeadlineReference], deadline_reference_type: Any = None
    ) -> type[BaseDeadlineReference]:
        """Refuse: an own reference is user code that Airflow runs in its scheduler.

        Raises:
            InvalidArgumentError: always.
        """
        raise InvalidArgumentError(
            f"the deadline reference {reference_class.__name__} would run in the scheduler, where "
            "Tradewind runs no user code: use DAGRUN_LOGICAL_DATE, DAGRUN_QUEUED_AT, "
            "AVERAGE_RUNTIME or FIXED_DATETIME"
        )


def deadline_reference(deadline_reference_type: Any = None) -> Any:
    """Refuse an own reference, as ``register_custom_reference`` does.

    Raises:
        InvalidArgumentError: when a class is decorated.
    """
    if isinstance(deadline_reference_type, type):
        return DeadlineReference.register_custom_reference(deadline_reference_type)
    return DeadlineReference.register_custom_reference


@dataclass(frozen=True)
class VariableInterval:
    """An interval that a Variable holds, in seconds, when the run is made."""

    key: str

    def resolve(self) -> timedelta:
        """Return it.

        Raises:
            VariableNotFoundError: there is no such Variable.
            ValueError: it is no number.
        """
        from .variable import Variable

        return timedelta(seconds=float(Variable.get(self.key)))


class DeadlineAlert:
    """One alert of a DAG.

    Args:
        reference: of ``DeadlineReference``.
        interval: added to the reference; it may be negative.
    """

    def __init__(
        self,
        reference: BaseDeadlineReference,
        interval: timedelta | VariableInterval,
        callback: Callback,
        name: str | None = None,
    ) -> None:
        if not isinstance(reference, BaseDeadlineReference) or not reference.kind:
            raise InvalidArgumentError(
                f"the reference of a DeadlineAlert is one of DeadlineReference, not {reference!r}"
            )
        if not isinstance(interval, timedelta | VariableInterval):
            raise InvalidArgumentError(
                f"the interval of a DeadlineAlert is a timedelta, not {interval!r}"
            )
        if not isinstance(callback, Callback):
            raise InvalidArgumentError(
                "the callback of a DeadlineAlert is an AsyncCallback or a SyncCallback, "
                f"not {callback!r}"
            )
        self.reference = reference
        self.interval = interval
        self.callback = callback
        self.name = name

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DeadlineAlert):
            return NotImplemented
        return vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.reference, self.interval, self.callback))


def alerts_of(value: Any, dag_id: str) -> list[DeadlineAlert]:
    """Return the alerts of a DAG's ``deadline=``: none, one or several.

    Raises:
        InvalidArgumentError: something else is among them.
    """
    several = [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
    for one in several:
        if not isinstance(one, DeadlineAlert):
            raise InvalidArgumentError(
                f"'deadline' of DAG {dag_id!r} is a DeadlineAlert or a list of them, not {one!r}"
            )
    return several
