"""``XComArg``: a task's result as a value to be passed to other tasks.

Rules: semantics sections 3.4 to 3.6. Passing one in a template field makes its task an upstream.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .dag_node import DAGNode, DependencyMixin
from .exceptions import InvalidArgumentError, InvalidValueError, XComNotFound
from .not_set import NOTSET, is_arg_set
from .resolvable import ResolveMixin

if TYPE_CHECKING:
    from .abstract_operator import AbstractOperator
    from .dag_node import EdgeNote

XCOM_RETURN_KEY = "return_value"


class XComArg(ResolveMixin, DependencyMixin):
    """The result of *operator* under *key*. ``XComArg(op)`` makes a ``PlainXComArg``."""

    def __new__(cls, *args: Any, **kwargs: Any) -> XComArg:
        return super().__new__(PlainXComArg if cls is XComArg else cls)

    if TYPE_CHECKING:  # at run time the made object's own __init__ is called

        def __init__(self, operator: Any = None, key: str = XCOM_RETURN_KEY) -> None: ...

    @staticmethod
    def iter_xcom_args(value: Any) -> Iterator[XComArg]:
        """Yield the XComArgs inside a value: in containers and in fields of nested templates."""
        for found in _iter_resolvable(value, set()):
            if isinstance(found, XComArg):
                yield found

    @staticmethod
    def iter_xcom_references(value: Any) -> Iterator[tuple[AbstractOperator, str]]:
        """Yield (operator, key) for each task result inside a value."""
        for found in _iter_resolvable(value, set()):
            yield from found.iter_references()

    @staticmethod
    def apply_upstream_relationship(operator: DependencyMixin, value: Any) -> None:
        """Make every task whose result is inside *value* an upstream of *operator*."""
        for upstream, _ in XComArg.iter_xcom_references(value):
            if upstream is not operator:
                operator.set_upstream(upstream)

    @property
    def roots(self) -> Sequence[DAGNode]:
        return _unique(operator for operator, _ in self.iter_references())

    @property
    def leaves(self) -> Sequence[DAGNode]:
        return self.roots

    def set_upstream(self, task_or_task_list: Any, edge_modifier: EdgeNote | None = None) -> None:
        for operator in self.roots:
            operator.set_upstream(task_or_task_list, edge_modifier)

    def set_downstream(self, task_or_task_list: Any, edge_modifier: EdgeNote | None = None) -> None:
        for operator in self.roots:
            operator.set_downstream(task_or_task_list, edge_modifier)

    def as_setup(self) -> XComArg:
        """Mark the tasks behind the value as setups."""
        for operator in self.roots:
            operator.as_setup()
        return self

    def as_teardown(
        self, *, setups: Any = None, on_failure_fail_dagrun: bool | None = None
    ) -> XComArg:
        """Mark the tasks behind the value as teardowns of *setups*."""
        for operator in self.roots:
            operator.as_teardown(setups=setups, on_failure_fail_dagrun=on_failure_fail_dagrun)
        return self

    def map(self, function: Callable[[Any], Any]) -> MapXComArg:
        """Apply a plain function to each element, in the process of the task that consumes it.

        Raises:
            ValueError: *function* is a task.
        """
        return MapXComArg(self, [function])

    def zip(self, *others: XComArg, fillvalue: Any = NOTSET) -> ZipXComArg:
        """Pair elements as tuples: as many as the shortest has, the longest with *fillvalue*."""
        return ZipXComArg([self, *others], fillvalue=fillvalue)

    def concat(self, *others: XComArg) -> ConcatXComArg:
        """Put the elements of the others after these."""
        return ConcatXComArg([self, *others])

    def __iter__(self) -> Iterator[Any]:
        # Without this Python would try __getitem__ with 0, 1, 2 ... and never end.
        raise InvalidArgumentError("a task's result cannot be iterated while the DAG is declared")

    def __enter__(self) -> Any:
        from .setup_teardown import SetupTeardownContext, open_scope

        open_scope(list(self.roots))
        return SetupTeardownContext

    def __exit__(self, *exc_info: object) -> None:
        from .setup_teardown import close_scope

        close_scope()


class PlainXComArg(XComArg):
    """The value that one task pushed under one key."""

    def __init__(self, operator: Any, key: str = XCOM_RETURN_KEY) -> None:
        self.operator: AbstractOperator = operator
        self.key = key

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PlainXComArg):
            return NotImplemented
        return self.operator is other.operator and self.key == other.key

    def __hash__(self) -> int:
        return hash((id(self.operator), self.key))

    def __getitem__(self, item: str) -> XComArg:
        """Return the value pushed under another key (a key of the result: multiple outputs).

        Raises:
            ValueError: the key is no text.
        """
        if not isinstance(item, str):
            raise InvalidValueError(f"an XCom key is a text, not {type(item).__name__} ({item!r})")
        return PlainXComArg(self.operator, item)

    def __str__(self) -> str:
        """Return a Jinja expression, so that the value can stand inside a templated text."""
        arguments = [f"task_ids='{self.operator.task_id}'", f"dag_id='{self.operator.dag_id}'"]
        if self.operator.is_mapped:
            arguments.append("map_indexes=None")
        arguments.append(f"key='{self.key}'")
        return "{{ task_instance.xcom_pull(%s) }}" % ", ".join(arguments)  # noqa: UP031 - braces

    def __repr__(self) -> str:
        suffix = "" if self.key == XCOM_RETURN_KEY else f"[{self.key!r}]"
        return f"XComArg({self.operator!r}){suffix}"

    def iter_references(self) -> Iterable[tuple[AbstractOperator, str]]:
        yield self.operator, self.key

    def map(self, function: Callable[[Any], Any]) -> MapXComArg:
        self._need_return_value("map")
        return super().map(function)

    def zip(self, *others: XComArg, fillvalue: Any = NOTSET) -> ZipXComArg:
        self._need_return_value("zip")
        return super().zip(*others, fillvalue=fillvalue)

    def concat(self, *others: XComArg) -> ConcatXComArg:
        self._need_return_value("concat")
        return super().concat(*others)

    def _need_return_value(self, what: str) -> None:
        if self.key != XCOM_RETURN_KEY:
            raise InvalidValueError(f"only a task's whole result can {what}, not its {self.key!r}")

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Pull the value: the same index inside a shared mapped group, else all of a mapped task.

        Raises:
            XComNotFound: a key of its own was never pushed.
        """
        from .mapped_indexes import map_index_of_producer

        ti = context["ti"]
        index = map_index_of_producer(self.operator, context)
        if index is None:
            return ti.xcom_pull_mapped(
                task_id=self.operator.task_id, dag_id=self.operator.dag_id, key=self.key
            )
        value = ti.xcom_pull(
            task_ids=self.operator.task_id,
            dag_id=self.operator.dag_id,
            key=self.key,
            map_indexes=index,
            default=NOTSET,
        )
        if is_arg_set(value):
            return value
        if self.key == XCOM_RETURN_KEY or getattr(self.operator, "multiple_outputs", False):
            return None
        raise XComNotFound(self.operator.dag_id, self.operator.task_id, self.key)


class MapXComArg(XComArg):
    """Each element of another value, passed through functions."""

    def __init__(self, arg: XComArg, functions: list[Callable[[Any], Any]]) -> None:
        for function in functions:
            if hasattr(function, "operator_class") or not callable(function):
                raise InvalidValueError("map() takes a plain function, not a task")
        self.arg = arg
        self.functions = functions

    def map(self, function: Callable[[Any], Any]) -> MapXComArg:
        return MapXComArg(self.arg, [*self.functions, function])

    def iter_references(self) -> Iterable[tuple[AbstractOperator, str]]:
        yield from self.arg.iter_references()

    def __repr__(self) -> str:
        return f"{self.arg!r}" + "".join(f".map({f.__name__})" for f in self.functions)

    def resolve(self, context: Mapping[str, Any]) -> Any:
        return _MappedSequence(elements_of(self.arg.resolve(context)), self.functions)


class ZipXComArg(XComArg):
    """Elements of several values, side by side."""

    def __init__(self, args: Sequence[XComArg], *, fillvalue: Any = NOTSET) -> None:
        if len(args) < 2:
            raise InvalidArgumentError("zip() needs at least one other result")
        self.args = list(args)
        self.fillvalue = fillvalue

    def iter_references(self) -> Iterable[tuple[AbstractOperator, str]]:
        for arg in self.args:
            yield from arg.iter_references()

    def __repr__(self) -> str:
        return f"{self.args[0]!r}.zip({', '.join(map(repr, self.args[1:]))})"

    def resolve(self, context: Mapping[str, Any]) -> Any:
        columns = [elements_of(arg.resolve(context)) for arg in self.args]
        if is_arg_set(self.fillvalue):
            return list(itertools.zip_longest(*columns, fillvalue=self.fillvalue))
        return list(zip(*columns, strict=False))


class ConcatXComArg(XComArg):
    """Elements of several values, one after the other."""

    def __init__(self, args: Sequence[XComArg]) -> None:
        self.args = list(args)

    def concat(self, *others: XComArg) -> ConcatXComArg:
        return ConcatXComArg([*self.args, *others])

    def iter_references(self) -> Iterable[tuple[AbstractOperator, str]]:
        for arg in self.args:
            yield from arg.iter_references()

    def __repr__(self) -> str:
        return f"{self.args[0]!r}.concat({', '.join(map(repr, self.args[1:]))})"

    def resolve(self, context: Mapping[str, Any]) -> Any:
        return list(
            itertools.chain.from_iterable(elements_of(arg.resolve(context)) for arg in self.args)
        )


class _MappedSequence(Sequence[Any]):
    """Applies the functions only to the elements that are asked for.

    One task instance needs one element; a function that skips may do so for its own only.
    """

    def __init__(self, elements: Sequence[Any], functions: list[Callable[[Any], Any]]) -> None:
        self._elements = elements
        self._functions = functions

    def __len__(self) -> int:
        return len(self._elements)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        value = self._elements[index]
        for function in self._functions:
            value = function(value)
        return value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def elements_of(value: Any) -> Sequence[Any]:
    """Return the elements of a value that is mapped over: pairs for a dict.

    Raises:
        TypeError: it has no elements.
    """
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return value
    raise InvalidArgumentError(f"a {type(value).__name__} cannot be mapped over ({value!r})")


def _iter_resolvable(value: Any, seen: set[int]) -> Iterator[ResolveMixin]:
    """Yield what has to be resolved inside a value. *seen* breaks circles."""
    if value is None or isinstance(value, (str, int, float, bytes)):
        return
    if isinstance(value, ResolveMixin):
        yield value
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, (list, tuple, set, frozenset)):
        for element in value:
            yield from _iter_resolvable(element, seen)
    elif isinstance(value, dict):
        for element in value.values():
            yield from _iter_resolvable(element, seen)
    elif fields := getattr(type(value), "template_fields", None):
        for name in fields if isinstance(fields, (list, tuple, set, frozenset)) else ():
            yield from _iter_resolvable(getattr(value, name, None), seen)


def _unique(nodes: Iterable[DAGNode]) -> list[DAGNode]:
    return list({id(node): node for node in nodes}.values())
