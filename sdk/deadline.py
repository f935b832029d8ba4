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
    """What a deadline counts from. ``kind`` and ``options`` are what the scheduler is told.

    One of a person's own defines ``_evaluate_with``; a callback child asks it, never the
    scheduler, once the run has been queued.
    """

    kind: ClassVar[str] = ""
    #: Which of ``dag_id`` and ``run_id`` it wants to know.
    required_kwargs: ClassVar[frozenset[str] | set[str]] = frozenset()

    def _evaluate_with(self, *, session: Any = None, **kwargs: Any) -> datetime | None:
        """Return what the interval is added to; None: this run has no such deadline."""
        raise NotImplementedError

    def evaluate_with(
        self, *, interval: timedelta, session: Any = None, **known: Any
    ) -> datetime | None:
        """Return the deadline, in UTC.

        Args:
            session: always None: there is no metadata session (Airflow passes its own).
            known: what may be wanted by ``required_kwargs``.

        Raises:
            InvalidValueError: something is wanted that is not known.
        """
        unknown = sorted(set(self.required_kwargs) - set(known))
        if unknown:
            raise InvalidValueError(
                f"the deadline reference {self.reference_name} wants {', '.join(unknown)}, but "
                f"only {', '.join(sorted(known))} can be given"
            )
        wanted = {name: known[name] for name in self.required_kwargs}
        base = self._evaluate_with(session=session, **wanted)
        if base is None:
            return None
        return timezone.plain_utc(timezone.convert_to_utc(base)) + interval

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


#: Kinds of a person's own references: known once the run is queued; the second: at each clear,
#: too.
OWN, OWN_OF_QUEUEING = "own", "own_of_queueing"


class DeadlineReferenceTypes:
    """When a reference of a person's own is asked, by Airflow's names."""

    DAGRUN_CREATED = OWN
    DAGRUN_QUEUED = OWN_OF_QUEUEING
    DAGRUN = OWN


class DeadlineReference:
    """The references, by name; those of a person's own become further attributes."""

    TYPES = DeadlineReferenceTypes

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
        """Make a class known as ``DeadlineReference.<its name>``.

        Args:
            deadline_reference_type: one of ``DeadlineReference.TYPES``; None: when it is created.

        Raises:
            InvalidArgumentError: it is no reference, or does not say what it counts from.
        """
        if not (isinstance(reference_class, type) and issubclass(reference_class, _Base)):
            raise InvalidArgumentError(
                f"a deadline reference is a BaseDeadlineReference, not {reference_class!r}"
            )
        if reference_class._evaluate_with is _Base._evaluate_with:
            raise InvalidArgumentError(
                f"the deadline reference {reference_class.__name__} must define _evaluate_with"
            )
        reference_class.kind = deadline_reference_type or OWN
        setattr(cls, reference_class.__name__, reference_class())
        return reference_class


_Base = BaseDeadlineReference


def deadline_reference(deadline_reference_type: Any = None) -> Any:
    """Decorator of a class: ``DeadlineReference.register_custom_reference``.

    With or without parentheses; within them one of ``DeadlineReference.TYPES`` may stand.
    """
    if isinstance(deadline_reference_type, type):
        return DeadlineReference.register_custom_reference(deadline_reference_type)

    def register(reference_class: type[BaseDeadlineReference]) -> type[BaseDeadlineReference]:
        return DeadlineReference.register_custom_reference(reference_class, deadline_reference_type)

    return register


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
