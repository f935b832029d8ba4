"""The ``@task`` family: ``@task``, ``@task.branch``, ``@task.bash`` and the rest.

Each name stands in a table with the operator it wraps, named by path and loaded when the first
task is made: this floor knows the operators above it only by name. Rules: semantics section 3.1.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .decorated_operator import DecoratedOperator, TaskCallable, task_decorator_factory
from .exceptions import AirflowException, AirflowSkipException, InvalidArgumentError

if TYPE_CHECKING:
    from .dag import DAG

#: Name of the decorator → module and class of its operator, below the package ``operators``.
#: A class that is no DecoratedOperator yet is joined with it.
OPERATORS: dict[str, str] = {
    "python": "python:PythonOperator",
    "branch": "branch:BranchPythonOperator",
    "short_circuit": "short_circuit:ShortCircuitOperator",
    "bash": "bash_decorator:BashDecoratedOperator",
    "sensor": "sensors.python:PythonSensor",
    "virtualenv": "virtualenv:PythonVirtualenvOperator",
    "external_python": "external_python:ExternalPythonOperator",
    "branch_virtualenv": "virtualenv:BranchPythonVirtualenvOperator",
    "branch_external_python": "external_python:BranchExternalPythonOperator",
}


def result(task: Any) -> Any:
    """Mark, above ``@task``, the task whose result is that of the DAG (Airflow 3.3).

    It changes nothing here: who waits for a run by the API names the tasks whose results it wants.

    Raises:
        TypeError: it stands above something else.
    """
    if not isinstance(task, TaskCallable):
        raise InvalidArgumentError("@result stands above a function that @task made into a task")
    return task


@functools.cache
def decorated_class(name: str) -> type[DecoratedOperator]:
    """Return the operator class behind ``@task.<name>``."""
    module_name, _, class_name = OPERATORS[name].partition(":")
    package = __package__.rpartition(".")[0]
    module = importlib.import_module(f"{package}.operators.{module_name}")
    operator_class = getattr(module, class_name)
    if issubclass(operator_class, DecoratedOperator):
        decorated: type[DecoratedOperator] = operator_class
        return decorated
    return join(operator_class, "@task" if name == "python" else f"@task.{name}")


def join(operator_class: type, custom_operator_name: str) -> type[DecoratedOperator]:
    """Make a decorated operator out of one that takes a ``python_callable``."""

    def initialise(
        self: Any,
        *,
        python_callable: Callable[..., Any],
        op_args: Any = None,
        op_kwargs: Any = None,
        **kwargs: Any,
    ) -> None:
        function = {"python_callable": python_callable, "op_args": op_args, "op_kwargs": op_kwargs}
        DecoratedOperator.__init__(self, **function, kwargs_to_upstream=function, **kwargs)

    fields = tuple(
        dict.fromkeys([*operator_class.template_fields, *DecoratedOperator.template_fields])  # type: ignore[attr-defined]
    )
    namespace = {
        "__init__": initialise,
        "__module__": operator_class.__module__,
        "__doc__": operator_class.__doc__,
        "template_fields": fields,
        "custom_operator_name": custom_operator_name,
    }
    metaclass = type(operator_class)
    return metaclass(
        f"_{operator_class.__name__.removesuffix('Operator')}DecoratedOperator",
        (DecoratedOperator, operator_class),
        namespace,
    )


class TaskDecorators:
    """``task`` itself: called it is ``@task.python``, its attributes are the others."""

    def __call__(self, python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
        return self._decorate("python", python_callable, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in OPERATORS:
            return functools.partial(self._decorate_named, name)
        from_provider = provider_decorator(name)
        if from_provider is None:
            raise AttributeError(f"there is no decorator @task.{name}")
        return from_provider

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *OPERATORS]

    def _decorate_named(
        self, name: str, python_callable: Callable[..., Any] | None = None, **kwargs: Any
    ) -> Any:
        return self._decorate(name, python_callable, kwargs)

    def _decorate(self, name: str, function: Callable[..., Any] | None, kwargs: Any) -> Any:
        if function is not None and not callable(function):
            raise InvalidArgumentError("arguments of @task are given by name")
        multiple_outputs = kwargs.pop("multiple_outputs", None)
        if name == "sensor":
            multiple_outputs = False
        return task_decorator_factory(
            function,
            multiple_outputs=multiple_outputs,
            decorated_operator_class=functools.partial(decorated_class, name),
            **kwargs,
        )

    @staticmethod
    def run_if(condition: Callable[..., Any], skip_message: str | None = None) -> Any:
        """Run the task below only where ``condition(context)`` is true; else skip it."""
        return _conditional(condition, skip_message, runs_when=True)

    @staticmethod
    def skip_if(condition: Callable[..., Any], skip_message: str | None = None) -> Any:
        """Skip the task below where ``condition(context)`` is true."""
        return _conditional(condition, skip_message, runs_when=False)


class BoundTaskDecorators(TaskDecorators):
    """``@dag.task``: the tasks belong to one DAG."""

    def __init__(self, dag: DAG) -> None:
        self._bound_dag = dag

    def _decorate(self, name: str, function: Callable[..., Any] | None, kwargs: Any) -> Any:
        return super()._decorate(name, function, {**kwargs, "dag": self._bound_dag})


def _conditional(condition: Callable[..., Any], message: str | None, *, runs_when: bool) -> Any:
    def decorate(task: TaskCallable) -> TaskCallable:
        if not isinstance(task, TaskCallable):
            raise InvalidArgumentError("@task.run_if and @task.skip_if stand above a @task")
        before = task.kwargs.get("pre_execute")

        def pre_execute(context: Any) -> None:
            answer = condition(context)
            is_true, said = answer if isinstance(answer, tuple) else (answer, message)
            if bool(is_true) is not runs_when:
                raise AirflowSkipException(said or "the condition of the task says so")
            if before is not None:
                before(context)

        task.kwargs["pre_execute"] = pre_execute
        return task

    return decorate


@functools.cache
def provider_decorator(name: str) -> Any:
    """Return the ``@task.<name>`` that an installed provider package brings, None without one."""
    from .import_string import import_string
    from .providers_manager import decorators

    path = decorators().get(name)
    return None if path is None else import_string(path)


task = TaskDecorators()


def setup_task(function: Any) -> TaskCallable:
    """``@setup``: the task is a setup. Above or instead of ``@task``.

    Raises:
        AirflowException: it stands above a task group.
    """
    _refuse_group(function, "setup")
    made: TaskCallable = function if isinstance(function, TaskCallable) else task(function)
    made.is_setup = True
    return made


def teardown_task(function: Any = None, *, on_failure_fail_dagrun: bool = False) -> Any:
    """``@teardown``: the task is a teardown. Above or instead of ``@task``."""

    def decorate(given: Any) -> TaskCallable:
        _refuse_group(given, "teardown")
        made: TaskCallable = given if isinstance(given, TaskCallable) else task(given)
        made.is_teardown = True
        made.on_failure_fail_dagrun = on_failure_fail_dagrun
        return made

    return decorate if function is None else decorate(function)


def _refuse_group(given: Any, mark: str) -> None:
    from .task_group_decorator import TaskGroupCallable

    if isinstance(given, TaskGroupCallable):
        raise AirflowException(
            f"the task group {given.__name__!r} cannot be marked as {mark}: mark its tasks instead"
        )
