"""What ``@task`` makes of a function: ``DecoratedOperator``, and the callable that creates tasks.

Rules: semantics sections 3.1 to 3.5. ``task_decorators.py`` holds the family of decorators.
"""

from __future__ import annotations

import collections.abc
import inspect
import textwrap
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from . import dag_context
from .asset import Asset
from .base_operator import BaseOperator
from .context_keys import KNOWN_CONTEXT_KEYS
from .exceptions import InvalidArgumentError, InvalidValueError
from .expand_inputs import (
    DictOfListsExpandInput,
    ExpandInput,
    ListOfDictsExpandInput,
    check_expand_kwargs,
    check_mappable,
)
from .mapped_operator import MappedOperator, base_parameters
from .operator_construction import construction_of, resolve_construction
from .task_group import suffixed
from .xcom_arg import XComArg

if TYPE_CHECKING:
    from .dag import DAG
    from .task_group import TaskGroup

_NOT_FROM_DEFAULT_ARGS = frozenset(
    {"default_args", "do_xcom_push", "multiple_outputs", "params", "task_id", "dag", "task_group"}
)


def get_unique_task_id(
    task_id: str, dag: DAG | None = None, task_group: TaskGroup | None = None
) -> str:
    """Return *task_id*, with a number behind it where the id is taken (semantics section 3.2)."""
    dag = dag if dag is not None else dag_context.DagContext.get_current_dag()
    if dag is None:
        return task_id
    group = task_group or dag_context.TaskGroupContext.get_current_task_group(dag)
    full = group.child_id(task_id) if group is not None else task_id
    if full not in dag.task_dict and full not in dag.task_group.used_group_ids:
        return task_id
    unique = suffixed(full, set(dag.task_dict))
    return unique.removeprefix(full.removesuffix(task_id))


class DecoratedOperator(BaseOperator):
    """An operator around a Python function that a decorator made into a task."""

    template_fields: Sequence[str] = ("op_args", "op_kwargs")
    template_fields_renderers: ClassVar[dict[str, str]] = {"op_args": "py", "op_kwargs": "py"}
    #: What pages show instead of the class's name, such as ``@task.bash``.
    custom_operator_name: str = "@task"
    shallow_copy_attrs: Sequence[str] = ("python_callable",)

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        task_id: str,
        op_args: Sequence[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        kwargs_to_upstream: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if not construction_of(self).is_detached:
            task_id = get_unique_task_id(task_id, kwargs.get("dag"), kwargs.get("task_group"))
        self.python_callable = python_callable
        args, named = tuple(op_args or ()), dict(op_kwargs or {})
        bind_arguments(python_callable, args, named)
        self.op_args: Any = args
        self.op_kwargs: Any = named
        super().__init__(task_id=task_id, **(kwargs_to_upstream or {}), **kwargs)
        # An asset passed to the function is one that the task reads.
        read = [value for value in (*args, *named.values()) if isinstance(value, Asset)]
        known = [*self.inlets, *self.outlets]
        self.inlets.extend(asset for asset in read if asset not in known)

    def get_python_source(self) -> str:
        """Return the source of the function without its decorators.

        Raises:
            ValueError: it has none.
        """
        from .function_source import source_of

        return source_of(self.python_callable)


def _signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature, found once for a function that many tasks are made of."""
    code = getattr(function, "__code__", None)
    if code is None or hasattr(function, "__wrapped__") or hasattr(function, "__signature__"):
        return inspect.signature(function)
    kept = _signatures.get(function)
    if kept is None:
        kept = _signatures[function] = inspect.signature(function)
    return kept


_signatures: WeakKeyDictionary[Callable[..., Any], inspect.Signature] = WeakKeyDictionary()


def injected_parameters(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature with every context key optional.

    Raises:
        ValueError: a parameter named like a context key has a default other than None.
    """
    signature = _signature_of(function)
    plain, injected, rest = [], [], []
    for parameter in signature.parameters.values():
        if parameter.name in KNOWN_CONTEXT_KEYS:
            if parameter.default not in (None, parameter.empty):
                raise InvalidValueError(
                    f"the parameter {parameter.name!r} of {function.__name__}() is filled from "
                    "the context, so its default can only be None"
                )
            parameter = parameter.replace(default=None)
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.KEYWORD_ONLY):
            rest.append(parameter)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            rest.insert(0, parameter)
        elif parameter.default is parameter.empty:
            plain.append(parameter)
        else:
            injected.append(parameter)
    return signature.replace(parameters=[*plain, *injected, *rest])


def bind_arguments(function: Callable[..., Any], args: Sequence[Any], kwargs: Any) -> None:
    """Check that the function can be called so; context keys come later.

    Raises:
        TypeError: an argument is missing or too many.
        ValueError: a context key has a default of its own.
    """
    signature = injected_parameters(function)
    if any(
        parameter.kind is parameter.POSITIONAL_ONLY for parameter in signature.parameters.values()
    ):
        signature = _signature_of(function)
    signature.bind(*args, **kwargs)


class TaskCallable:
    """A decorated function: calling it creates a task and returns its result's XComArg."""

    def __init__(
        self,
        function: Callable[..., Any],
        operator_class: type[DecoratedOperator] | Callable[[], type[DecoratedOperator]],
        kwargs: dict[str, Any],
        multiple_outputs: bool | None = None,
    ) -> None:
        _refuse_method(function)
        self.function = function
        self._operator_class = operator_class
        self.kwargs = dict(kwargs)
        if multiple_outputs is not None:
            self.kwargs["multiple_outputs"] = multiple_outputs
        name = getattr(function, "__name__", type(function).__name__)
        self.kwargs.setdefault("task_id", name)
        self.is_setup = False
        self.is_teardown = False
        self.on_failure_fail_dagrun = False
        self.__wrapped__ = function
        self.__name__ = name
        self.__qualname__ = getattr(function, "__qualname__", name)
        self.__module__ = function.__module__
        self.__doc__ = function.__doc__

    @property
    def operator_class(self) -> type[DecoratedOperator]:
        """The class of the tasks. Loaded when the first one is made."""
        if not isinstance(self._operator_class, type):
            self._operator_class = self._operator_class()
        return self._operator_class

    @property
    def multiple_outputs(self) -> bool:
        """Whether each key of the result becomes an XCom of its own."""
        if "multiple_outputs" not in self.kwargs:
            self.kwargs["multiple_outputs"] = returns_mapping(self.function)
        return bool(self.kwargs["multiple_outputs"])

    def override(self, **kwargs: Any) -> TaskCallable:
        """Return a copy that makes tasks with other arguments (task_id, retries, ...)."""
        other = TaskCallable(self.function, self._operator_class, {**self.kwargs, **kwargs})
        other.is_setup, other.is_teardown = self.is_setup, self.is_teardown
        other.on_failure_fail_dagrun = kwargs.get(
            "on_failure_fail_dagrun", self.on_failure_fail_dagrun
        )
        other.kwargs.pop("on_failure_fail_dagrun", None)
        return other

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        arguments = self._operator_arguments()
        defaults = self._defaults_for_function(arguments, args, kwargs)
        operator = self.operator_class(
            python_callable=self.function,
            op_args=args,
            op_kwargs={**defaults, **kwargs},
            **arguments,
        )
        return self._finish(operator)

    def _operator_arguments(self) -> dict[str, Any]:
        _ = self.multiple_outputs  # worked out once
        arguments = dict(self.kwargs)
        if self.is_teardown and arguments.pop("trigger_rule", None) not in (
            None,
            "all_done_setup_success",
        ):
            raise InvalidValueError("the trigger rule of a teardown cannot be chosen")
        if not any(
            arguments.get(f"doc{suffix}") for suffix in ("", "_md", "_json", "_yaml", "_rst")
        ):
            doc = inspect.getdoc(self.function)
            if doc:
                arguments["doc_md"] = textwrap.dedent(doc)
        return arguments

    def _defaults_for_function(
        self, arguments: Mapping[str, Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what default_args say of parameters of the function (semantics section 1.4)."""
        construction = resolve_construction(
            arguments.get("dag"), arguments.get("task_group"), arguments.get("default_args")
        )
        if not construction.default_args:
            return {}
        names = list(inspect.signature(self.function).parameters)[len(args) :]
        return {
            name: construction.default_args[name]
            for name in names
            if name in construction.default_args
            and name not in kwargs
            and name not in KNOWN_CONTEXT_KEYS
        }

    def _finish(self, operator: Any) -> Any:
        if self.is_setup:
            operator.as_setup()
        if self.is_teardown:
            operator.as_teardown(on_failure_fail_dagrun=self.on_failure_fail_dagrun)
        return XComArg(operator)

    # --- mapping -----------------------------------------------------------------------------

    def partial(self, **kwargs: Any) -> TaskCallable:
        """Fix some arguments of the function; ``expand`` of the answer maps the others.

        Raises:
            TypeError: an unknown argument, or one that was fixed before.
        """
        self._check_arguments("partial", kwargs)
        fixed = dict(self.kwargs.get("op_kwargs") or {})
        doubled = sorted(fixed.keys() & kwargs.keys())
        if doubled:
            raise InvalidArgumentError(f"partial() got {doubled} twice")
        return self.override(op_kwargs={**fixed, **kwargs})

    def expand(self, **mapped: Any) -> Any:
        """Map arguments of the function: an instance for each combination, the last fastest.

        Raises:
            TypeError: no argument, or an unknown one.
            ValueError: a value without elements, or a context key.
        """
        if not mapped:
            raise InvalidArgumentError("expand() needs at least one argument to map")
        self._check_arguments("expand", mapped)
        for name, value in mapped.items():
            check_mappable(name, value, str(self.kwargs["task_id"]))
        # A mapped value wins over a fixed one here (semantics section 3.5).
        return self._map(DictOfListsExpandInput(mapped), is_strict=False)

    def expand_kwargs(self, kwargs: Any, *, strict: bool = True) -> Any:
        """Map over dicts of arguments; see ``OperatorPartial.expand_kwargs``."""
        check_expand_kwargs(kwargs)
        if isinstance(kwargs, collections.abc.Sequence):
            for element in kwargs:
                if isinstance(element, Mapping):
                    self._check_arguments("expand_kwargs", element)
        return self._map(ListOfDictsExpandInput(kwargs), is_strict=strict)

    def _check_arguments(self, method: str, given: Mapping[str, Any]) -> None:
        signature = inspect.signature(self.function)
        takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
        for name in given:
            if name in KNOWN_CONTEXT_KEYS and name in signature.parameters:
                raise InvalidValueError(
                    f"{method}() cannot set {name!r} of {self.__name__}(): it is a context key"
                )
            if name not in signature.parameters and not takes_any:
                raise InvalidArgumentError(
                    f"{method}() got an argument that {self.__name__}() lacks: {name!r}"
                )

    def _map(self, expand_input: ExpandInput, *, is_strict: bool) -> Any:
        arguments = self._operator_arguments()
        construction = resolve_construction(
            arguments.pop("dag", None),
            arguments.pop("task_group", None),
            arguments.pop("default_args", None),
        )
        from_defaults = {
            name: value
            for name, value in construction.default_args.items()
            if name in base_parameters() - _NOT_FROM_DEFAULT_ARGS and name not in arguments
        }
        task_id = get_unique_task_id(
            arguments.pop("task_id"), construction.dag, construction.task_group
        )
        op_kwargs = arguments.pop("op_kwargs", None) or {}
        operator = DecoratedMappedOperator(
            operator_class=self.operator_class,
            task_id=task_id,
            partial_kwargs={
                **from_defaults,
                **arguments,
                "python_callable": self.function,
                "op_kwargs": op_kwargs,
            },
            expand_input=expand_input,
            construction=construction,
            is_strict=is_strict,
            expand_input_attr="op_kwargs_expand_input",
        )
        return self._finish(operator)


class DecoratedMappedOperator(MappedOperator):
    """A mapped ``@task``: what is mapped are arguments of the function."""

    @property
    def op_kwargs_expand_input(self) -> ExpandInput:
        """What the function's arguments are mapped over."""
        return self.expand_input

    def _instance_kwargs(self, resolved: dict[str, Any]) -> dict[str, Any]:
        fixed = self.partial_kwargs["op_kwargs"]
        self._refuse_override(resolved, fixed)
        return {**self.partial_kwargs, "op_kwargs": {**fixed, **resolved}}


def returns_mapping(function: Callable[..., Any]) -> bool:
    """Tell whether the return annotation is a mapping: its keys then become XComs."""
    if "return" not in getattr(function, "__annotations__", {}):
        return False
    annotation: Any = function.__annotations__["return"]
    if isinstance(annotation, str):
        if annotation in ("None", "str", "int", "float", "bool"):
            return False
        try:
            annotation = typing.get_type_hints(function).get("return")
        except Exception:  # noqa: BLE001 - user annotations may raise anything; then nobody knows
            return False
    origin: Any = typing.get_origin(annotation) or annotation
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _refuse_method(function: Callable[..., Any]) -> None:
    if not callable(function):
        raise InvalidArgumentError(f"@task needs a function, not {function!r}")
    names = list(_signature_of(function).parameters)
    if names[:1] == ["self"]:
        raise InvalidArgumentError("@task cannot be used on methods")


def task_decorator_factory(
    python_callable: Callable[..., Any] | None = None,
    *,
    multiple_outputs: bool | None = None,
    decorated_operator_class: type[DecoratedOperator] | Callable[[], type[DecoratedOperator]],
    **kwargs: Any,
) -> Any:
    """Make a decorator, or decorate at once: what every ``@task.<name>`` is built of.

    Raises:
        TypeError: *python_callable* is no function.
    """
    if multiple_outputs is None:
        multiple_outputs = kwargs.pop("multiple_outputs", None)
    if python_callable is not None:
        if not callable(python_callable):
            raise InvalidArgumentError("arguments of @task are given by name")
        return TaskCallable(python_callable, decorated_operator_class, kwargs, multiple_outputs)

    def decorate(function: Callable[..., Any]) -> TaskCallable:
        return TaskCallable(function, decorated_operator_class, kwargs, multiple_outputs)

    return decorate
