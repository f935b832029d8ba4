"""What a task or a group is mapped over: ``expand(a=..., b=...)`` and ``expand_kwargs(...)``.

Rules: semantics section 3.5. Lengths of results are known to the scheduler from the XCom rows
(``serialize_dag`` writes them down as expressions); the task process resolves the values.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .dag_context import DagContext
from .exceptions import InvalidArgumentError, InvalidValueError
from .resolvable import ResolveMixin
from .xcom_arg import XCOM_RETURN_KEY, PlainXComArg, XComArg, elements_of

if TYPE_CHECKING:
    from .abstract_operator import AbstractOperator
    from .task_group import MappedTaskGroup


class ExpandInput(ABC):
    """The values that one expansion is made of."""

    value: Any

    @abstractmethod
    def iter_references(self) -> Iterable[tuple[AbstractOperator, str]]:
        """Yield (operator, key) for each task result that the expansion is made of."""

    @abstractmethod
    def length(self, context: Mapping[str, Any]) -> int:
        """Return how many instances there are. Runs in the task process."""

    @abstractmethod
    def argument_names(self) -> list[str]:
        """Return the arguments that are mapped; empty where only the values tell."""

    @abstractmethod
    def resolve(self, context: Mapping[str, Any], index: int) -> tuple[dict[str, Any], set[int]]:
        """Return the keyword arguments of instance *index*.

        Also the ``id()`` of those that came from task results: they must not be rendered.
        """

    @property
    def has_literal_length(self) -> bool:
        """Whether the number of instances is known while the DAG is declared."""
        return not any(True for _ in self.iter_references())


class DictOfListsExpandInput(ExpandInput):
    """``expand(a=[...], b=task())``: the product, the last keyword fastest."""

    EXPAND_INPUT_TYPE = "dict-of-lists"

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value

    def iter_references(self) -> Iterable[tuple[AbstractOperator, str]]:
        for value in self.value.values():
            yield from XComArg.iter_xcom_references(value)

    def argument_names(self) -> list[str]:
        return list(self.value)

    def length(self, context: Mapping[str, Any]) -> int:
        return math.prod(len(self._elements(value, context)) for value in self.value.values())

    def _elements(self, value: Any, context: Mapping[str, Any]) -> Sequence[Any]:
        return elements_of(value.resolve(context) if isinstance(value, ResolveMixin) else value)

    def resolve(self, context: Mapping[str, Any], index: int) -> tuple[dict[str, Any], set[int]]:
        resolved: dict[str, Any] = {}
        from_results: set[int] = set()
        for name, value in reversed(self.value.items()):
            elements = self._elements(value, context)
            index, position = divmod(index, len(elements))
            resolved[name] = elements[position]
            if isinstance(value, ResolveMixin):
                from_results.add(id(resolved[name]))
        return {name: resolved[name] for name in self.value}, from_results


class ListOfDictsExpandInput(ExpandInput):
    """``expand_kwargs([{...}, {...}])``, or the result of a task that gives such a list."""

    EXPAND_INPUT_TYPE = "list-of-dicts"

    def __init__(self, value: Any) -> None:
        self.value = value

    def iter_references(self) -> Iterable[tuple[AbstractOperator, str]]:
        yield from XComArg.iter_xcom_references(self.value)

    def argument_names(self) -> list[str]:
        return []

    def length(self, context: Mapping[str, Any]) -> int:
        return len(self._elements(context))

    def _elements(self, context: Mapping[str, Any]) -> Sequence[Any]:
        value = self.value
        return elements_of(value.resolve(context) if isinstance(value, ResolveMixin) else value)

    def resolve(self, context: Mapping[str, Any], index: int) -> tuple[dict[str, Any], set[int]]:
        arguments = self._elements(context)[index]
        if isinstance(arguments, ResolveMixin):
            arguments = arguments.resolve(context)
        if not isinstance(arguments, Mapping):
            raise InvalidArgumentError(
                f"expand_kwargs() needs dicts, but element {index} is {arguments!r}"
            )
        if not all(isinstance(name, str) for name in arguments):
            raise InvalidArgumentError(
                f"expand_kwargs() needs dicts with text keys, not {arguments!r}"
            )
        resolved: dict[str, Any] = {}
        from_results: set[int] = set()
        is_result = isinstance(self.value, ResolveMixin)
        for name, value in arguments.items():
            resolved[name] = value.resolve(context) if isinstance(value, ResolveMixin) else value
            if is_result or isinstance(value, ResolveMixin):
                from_results.add(id(resolved[name]))
        return resolved, from_results


class MappedArgument(ResolveMixin):
    """One argument of a mapped task group, as its tasks see it."""

    def __init__(self, expand_input: ExpandInput, key: str) -> None:
        self._input = expand_input
        self._key = key
        self.group: MappedTaskGroup | None = None

    def __getitem__(self, item: str) -> Any:
        raise InvalidArgumentError("an argument of a mapped task group has no elements yet")

    def iter_references(self) -> Iterable[tuple[AbstractOperator, str]]:
        yield from self._input.iter_references()

    def resolve(self, context: Mapping[str, Any]) -> Any:
        from .mapped_indexes import index_at_level

        groups = list(context["task"].iter_mapped_task_groups())[::-1]
        level = next((n for n, g in enumerate(groups, 1) if g.expand_input is self._input), 1)
        index = index_at_level(groups, level, context)
        if level > 1:  # only this group's share of the index
            index %= max(self._input.length(context), 1)
        values, _ = self._input.resolve(context, index)
        return values[self._key]


def check_mappable(name: str, value: Any, node_id: str) -> None:
    """Refuse a value that has no elements, or a task's partial result.

    Args:
        node_id: of the task or group that is mapped.

    Raises:
        ValueError: the text names the argument.
    """
    if isinstance(value, MappedArgument):
        return
    if isinstance(value, PlainXComArg):
        if value.key != XCOM_RETURN_KEY:
            raise InvalidValueError(
                f"{_where(node_id)}: {name!r} cannot be mapped over the XCom key {value.key!r}: "
                "only a task's whole result has a known length"
            )
        return
    if isinstance(value, ResolveMixin):
        return
    if isinstance(value, (str, bytes)) or not isinstance(value, (Sequence, Mapping)):
        raise InvalidValueError(
            f"{_where(node_id)}: expand() needs a list, a dict or a task's result for {name!r}, "
            f"not {type(value).__name__}; pass a fixed value to partial()"
        )


def _where(node_id: str) -> str:
    dag = DagContext.get_current_dag()
    return f"{node_id!r}" if dag is None else f"{node_id!r} of the DAG {dag.dag_id!r}"


def check_expand_kwargs(value: Any) -> None:
    """Refuse what ``expand_kwargs`` cannot take.

    Raises:
        TypeError: neither a list of dicts nor a task's result.
    """
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        for element in value:
            if not isinstance(element, (Mapping, XComArg)):
                raise InvalidArgumentError(
                    f"expand_kwargs() needs dicts or task results, not {type(element).__name__}"
                )
    elif not isinstance(value, ResolveMixin):
        raise InvalidArgumentError(
            f"expand_kwargs() needs a list of dicts or a task's result, not {type(value).__name__}"
        )
