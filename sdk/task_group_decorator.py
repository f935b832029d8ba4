"""``@task_group``: a function whose body declares the tasks of a group.

Rules: semantics sections 2.5, 3.2 and 3.5.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from .exceptions import InvalidArgumentError, InvalidValueError
from .expand_inputs import (
    DictOfListsExpandInput,
    ExpandInput,
    ListOfDictsExpandInput,
    MappedArgument,
    check_expand_kwargs,
    check_mappable,
)
from .task_group import MappedTaskGroup, TaskGroup


class TaskGroupCallable:
    """A decorated function: calling it creates a group, and returns what the function does."""

    def __init__(
        self,
        function: Callable[..., Any],
        kwargs: dict[str, Any],
        fixed: dict[str, Any] | None = None,
    ) -> None:
        self.function = function
        self.kwargs = {"group_id": function.__name__, "add_suffix_on_collision": True, **kwargs}
        self.partial_kwargs = dict(fixed or {})
        self.__wrapped__ = function
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        group = TaskGroup(**self._group_arguments())
        return self._fill(group, args, {**self.partial_kwargs, **kwargs})

    def _group_arguments(self) -> dict[str, Any]:
        arguments = dict(self.kwargs)
        if self.function.__doc__ and not arguments.get("tooltip"):
            arguments["tooltip"] = inspect.getdoc(self.function) or ""
        return arguments

    def _fill(self, group: TaskGroup, args: Any, kwargs: Any) -> Any:
        with group:
            result = self.function(*args, **kwargs)
        # What the function returns stands for the group, so that edges bind to it.
        return group if result is None else result

    def override(self, **kwargs: Any) -> TaskGroupCallable:
        """Return a copy that makes groups with other arguments (group_id, tooltip, ...)."""
        return TaskGroupCallable(self.function, {**self.kwargs, **kwargs}, self.partial_kwargs)

    def partial(self, **kwargs: Any) -> TaskGroupCallable:
        """Fix some arguments. Raises TypeError for an unknown one, or one fixed before."""
        self._check_names(kwargs)
        doubled = sorted(self.partial_kwargs.keys() & kwargs.keys())
        if doubled:
            raise InvalidArgumentError(f"partial() got {doubled} twice")
        return TaskGroupCallable(self.function, self.kwargs, {**self.partial_kwargs, **kwargs})

    def expand(self, **mapped: Any) -> Any:
        """Make a mapped group: its tasks have one instance for each combination.

        Raises:
            TypeError: no argument, or an unknown one.
            ValueError: a value without elements, or an argument of another mapped group.
        """
        if not mapped:
            raise InvalidArgumentError("expand() needs at least one argument to map")
        self._check_names(mapped)
        for name, value in mapped.items():
            check_mappable(name, value, self.function.__name__)
            if isinstance(value, MappedArgument):
                raise InvalidValueError(
                    f"{name!r} is an argument of another mapped group: a group is mapped once"
                )
        return self._map(DictOfListsExpandInput(mapped), list(mapped))

    def expand_kwargs(self, kwargs: Any) -> Any:
        """Make a mapped group over dicts of arguments. Raises as ``expand``."""
        check_expand_kwargs(kwargs)
        if isinstance(kwargs, MappedArgument):
            raise InvalidValueError("groups cannot be mapped twice")
        names = [
            name
            for name, parameter in inspect.signature(self.function).parameters.items()
            if name not in self.partial_kwargs
            and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        ]
        return self._map(ListOfDictsExpandInput(kwargs), names)

    def _map(self, expand_input: ExpandInput, names: list[str]) -> Any:
        group = MappedTaskGroup(expand_input=expand_input, **self._group_arguments())
        arguments = {name: MappedArgument(expand_input, name) for name in names}
        return self._fill(group, (), {**self.partial_kwargs, **arguments})

    def _check_names(self, given: Mapping[str, Any]) -> None:
        parameters = inspect.signature(self.function).parameters
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            return
        unknown = sorted(set(given) - set(parameters))
        if unknown:
            raise InvalidArgumentError(f"{self.__name__}() has no argument {', '.join(unknown)}")


def task_group(group_id: Any = None, **kwargs: Any) -> Any:
    """Make a function the body of a task group: ``@task_group`` or ``@task_group(...)``."""
    if callable(group_id):
        return TaskGroupCallable(group_id, kwargs)
    if group_id is not None:
        kwargs["group_id"] = group_id

    def decorate(function: Callable[..., Any]) -> TaskGroupCallable:
        return TaskGroupCallable(function, kwargs)

    return decorate
