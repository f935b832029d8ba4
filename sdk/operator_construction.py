"""How an operator comes into being: ``default_args`` reach every class of its MRO.

The metaclass resolves DAG, group and merged defaults once, before the outermost ``__init__``;
each ``__init__`` on the way down is wrapped so that the defaults that it names are filled in.
Each ``execute`` is wrapped, too: it tells when other code than its task's runner calls it.
Rules: semantics sections 1.4 and 2.1.
"""

from __future__ import annotations

import functools
from abc import ABCMeta
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from . import dag_context
from .deprecation import warn_author
from .exceptions import InvalidArgumentError, InvalidUseError

if TYPE_CHECKING:
    from .dag import DAG
    from .task_group import TaskGroup

_STASH = "_tradewind_construction"


_NOTHING: Mapping[str, Any] = {}


class Construction(NamedTuple):
    """What one operator takes from its surroundings."""

    dag: DAG | None = None
    task_group: TaskGroup | None = None
    default_args: Mapping[str, Any] = _NOTHING
    #: Params of the DAG, below the task's own.
    dag_params: Mapping[str, Any] = _NOTHING
    #: Params of the task's own ``default_args``, above its own.
    default_params: Mapping[str, Any] = _NOTHING
    #: Built to run one mapped instance: it joins neither DAG nor group.
    is_detached: bool = False


def resolve_construction(
    dag: DAG | None, task_group: TaskGroup | None, own_default_args: Mapping[str, Any] | None
) -> Construction:
    """Merge what DAG, nearest group and the operator itself say (the right one wins)."""
    if own_default_args is not None and not isinstance(own_default_args, Mapping):
        raise InvalidArgumentError("default_args must be a mapping")
    if dag is None and task_group is not None:
        dag = task_group.dag
    if dag is None:
        dag = dag_context.DagContext.get_current_dag()
    if task_group is None:
        task_group = dag_context.TaskGroupContext.get_current_task_group(dag)
    merged: dict[str, Any] = dict(dag.default_args) if dag is not None else {}
    if task_group is not None:
        merged.update(task_group.default_args)
    merged.pop("params", None)  # a DAG's went into dag.params; a group's has no effect
    merged.update(own_default_args or {})
    default_params = merged.pop("params", None) or {}
    return Construction(
        dag=dag,
        task_group=task_group,
        default_args=merged,
        dag_params=dag.params if dag is not None else {},
        default_params=default_params,
    )


def construction_of(operator: object) -> Construction:
    """Return what the operator under construction takes from its surroundings."""
    found = operator.__dict__.get(_STASH)
    return found if isinstance(found, Construction) else Construction()


class InitSignature:
    """The keyword parameters of one ``__init__``."""

    names: frozenset[str]
    required: tuple[str, ...]

    def __init__(self, init: Any) -> None:
        while hasattr(init, "__wrapped__"):  # another decorator stands above the author's own
            init = init.__wrapped__
        if not hasattr(init, "__code__"):  # inherited from a class that is not written in Python
            self.names, self.required = frozenset(), ()
            return
        # Read from the code object: ``inspect`` would cost every process 5 ms to load.
        code = init.__code__
        positional = code.co_varnames[1 : code.co_argcount]
        keyword_only = code.co_varnames[
            code.co_argcount : code.co_argcount + code.co_kwonlyargcount
        ]
        with_default = {
            *positional[len(positional) - len(init.__defaults__ or ()) :],
            *(init.__kwdefaults__ or ()),
        }
        self.names = frozenset((*positional, *keyword_only))
        self.required = tuple(
            name for name in (*positional, *keyword_only) if name not in with_default
        )


def wrap_init(init: Callable[..., None]) -> Callable[..., None]:
    """Return *init* made to fill in the defaults that it names and to name what is missing."""
    signature: InitSignature | None = None

    @functools.wraps(init)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> None:
        nonlocal signature
        if args:
            raise InvalidArgumentError(
                f"{type(self).__name__} takes keyword arguments only, "
                f"but {len(args)} positional were given"
            )
        if signature is None:  # inspected on first use: most classes are imported, not used
            signature = InitSignature(init)
        defaults = construction_of(self).default_args
        for name in signature.names & defaults.keys():
            kwargs.setdefault(name, defaults[name])
        missing = [name for name in signature.required if name not in kwargs]
        if missing:
            raise InvalidArgumentError(
                f"{type(self).__name__} lacks the required argument"
                f"{'s' if len(missing) > 1 else ''} {', '.join(map(repr, missing))}"
            )
        init(self, **kwargs)

    wrapped._tradewind_init = init  # type: ignore[attr-defined]
    return wrapped


#: Attribute of the one operator that its task's process executes.
RUNS_ITS_TASK = "_runs_its_task"


def guard_execute(execute: Callable[..., Any]) -> Callable[..., Any]:
    """Return *execute* made to tell when other code than its task's runner calls it.

    An operator called inside of another one's ``execute`` has no retries, no XComs and no state
    of its own. It warns, or is refused where ``allow_nested_operators=False`` (semantics 2.1).
    """

    @functools.wraps(execute)
    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if RUNS_ITS_TASK not in self.__dict__:
            text = (
                f"{type(self).__name__} {self.task_id!r} is executed by other code, not as a task "
                f"of its own"
            )
            if not self.allow_nested_operators:
                raise InvalidUseError(f"{text}: make it a task, or set allow_nested_operators=True")
            self.log.warning(text)
        return execute(self, *args, **kwargs)

    guarded._tradewind_execute = execute  # type: ignore[attr-defined]
    return guarded


def parameters_of(operator_class: type) -> frozenset[str]:
    """Return every keyword that some ``__init__`` of the class's MRO names."""
    names: set[str] = set()
    for base in operator_class.__mro__:
        init = base.__dict__.get("__init__")
        if init is not None and base is not object:
            names |= InitSignature(getattr(init, "_tradewind_init", init)).names
    return frozenset(names)


class BaseOperatorMeta(ABCMeta):
    """Metaclass of all operators."""

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any
    ) -> BaseOperatorMeta:
        init = namespace.get("__init__")
        if init is not None and not hasattr(init, "_tradewind_init"):
            namespace["__init__"] = wrap_init(init)
        execute = namespace.get("execute")
        if isinstance(execute, FunctionType) and not hasattr(execute, "_tradewind_execute"):
            namespace["execute"] = guard_execute(execute)
        return super().__new__(mcs, name, bases, namespace, **kwargs)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if args:
            raise InvalidArgumentError(
                f"{cls.__name__} takes keyword arguments only, "
                f"but {len(args)} positional were given"
            )
        construction = resolve_construction(
            kwargs.get("dag"), kwargs.get("task_group"), kwargs.get("default_args")
        )
        return construct(cls, kwargs, construction)


def construct(operator_class: Any, kwargs: dict[str, Any], construction: Construction) -> Any:
    """Build an operator inside the given surroundings."""
    if getattr(operator_class, "__abstractmethods__", None):
        names = ", ".join(sorted(operator_class.__abstractmethods__))
        raise InvalidArgumentError(f"{operator_class.__name__} is abstract: it lacks {names}")
    if operator_class.__new__ is object.__new__:
        operator = operator_class.__new__(operator_class)
    else:
        operator = operator_class.__new__(operator_class, **kwargs)
    operator.__dict__[_STASH] = construction
    operator.__init__(**kwargs)
    operator.__dict__.pop(_STASH, None)
    if "trigger_rule" not in operator.__dict__:
        warn_author(
            f"{operator_class.__name__}.__init__ does not call super().__init__(**kwargs), so "
            f"{kwargs.get('task_id')!r} is no task of any DAG (nor is it in Airflow)"
        )
        return operator
    operator._finish_construction(construction)
    return operator
