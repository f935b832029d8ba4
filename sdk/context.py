"""What a task is told: ``context``, with the keys of Airflow 2 and 3 (semantics section 9.1).

Values that cost something are computed when they are read; those that Airflow 3 removed are
there as well, and warn.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .exceptions import InvalidUseError, RemovedInAirflow3Warning
from .lazy_value import LazyValue
from .not_set import NOTSET, is_arg_set

_current: ContextVar[Context | None] = ContextVar("tradewind_task_context", default=None)


class _Later:
    """A value to be computed when it is read.

    ``is_costly``: it asks a timetable or the runtime. ``instead``: it is deprecated, and this
    text says what to use.
    """

    __slots__ = ("compute", "instead", "is_costly", "value")

    def __init__(self, compute: Callable[[], Any], is_costly: bool, instead: str | None) -> None:
        self.compute = compute
        self.is_costly = is_costly
        self.instead = instead
        self.value: Any = NOTSET

    def get(self) -> Any:
        if self.value is NOTSET:
            self.value = self.compute()
        return self.value


class Context(dict[str, Any]):
    """The context of one task instance: a dict some of whose values are computed on access."""

    def add_later(
        self,
        key: str,
        compute: Callable[[], Any],
        *,
        is_costly: bool = False,
        instead: str | None = None,
    ) -> None:
        """Add a value that is computed when it is read.

        Args:
            is_costly: ``items()`` and ``**kwargs`` get a stand-in instead of the value.
            instead: reading the key warns that it is deprecated, and names this.
        """
        dict.__setitem__(self, key, _Later(compute, is_costly, instead))

    def __getitem__(self, key: str) -> Any:
        value = dict.__getitem__(self, key)
        if type(value) is not _Later:
            return value
        if value.instead is not None:
            warnings.warn(
                f"the context key {key!r} is deprecated: use {value.instead}",
                RemovedInAirflow3Warning,
                stacklevel=2,
            )
        return value.get()

    def peek(self, key: str) -> Any:
        """Return a value without a warning; a stand-in where computing it costs something."""
        value = dict.__getitem__(self, key)
        if type(value) is not _Later:
            return value
        return LazyValue(value.get) if value.is_costly else value.get()

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default  # noqa: SIM401 - this is what get() means

    def pop(self, key: str, *default: Any) -> Any:
        if key not in self:
            return dict.pop(self, key, *default)
        value = self.peek(key)
        del self[key]
        return value

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def __iter__(self) -> Iterator[str]:
        # Overridden so that dict(context) and {**context} read values by key, not the raw ones.
        return dict.__iter__(self)

    def items(self) -> Any:
        return {key: self.peek(key) for key in self}.items()

    def values(self) -> Any:
        return {key: self.peek(key) for key in self}.values()

    def copy(self) -> Context:
        other = Context()
        for key, value in dict.items(self):
            dict.__setitem__(other, key, value)
        return other

    __copy__ = copy

    def __or__(self, other: Any) -> Any:
        merged = self.copy()
        merged.update(other)
        return merged

    def __ror__(self, other: Any) -> Any:
        return {**other, **dict(self.items())}

    def __repr__(self) -> str:
        return f"<Context {', '.join(self)}>"


def get_current_context() -> Context:
    """Return the context of the running task.

    Raises:
        AirflowException: no task is running here (also a RuntimeError, as in Airflow 3).
    """
    context = _current.get()
    if context is None:
        raise InvalidUseError(
            "get_current_context() works while a task runs: call it inside of the task's function"
        )
    return context


@contextmanager
def set_current_context(context: Context) -> Iterator[Context]:
    """Let ``get_current_context()`` return *context* inside the block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def context_merge(context: dict[str, Any], *args: Any, **kwargs: Any) -> None:
    """Add entries to a context (Airflow's function of this name)."""
    context.update(*args, **kwargs)


def context_copy_partial(source: Mapping[str, Any], keys: Any) -> dict[str, Any]:
    """Return some entries of a context."""
    chosen = set(keys)
    return {key: source[key] for key in source if key in chosen}


class VariableAccessor:
    """``var.value`` and ``var.json`` of templates."""

    def __init__(self, *, deserialize_json: bool) -> None:
        self._is_json = deserialize_json

    def __getattr__(self, key: str) -> Any:
        from .variable import Variable

        if key.startswith("__"):
            raise AttributeError(key)
        return Variable.get(key, deserialize_json=self._is_json)

    def __getitem__(self, key: str) -> Any:
        return self.__getattr__(key)

    def get(self, key: str, default: Any = NOTSET, default_var: Any = NOTSET) -> Any:
        """Return a variable, or the default.

        Raises:
            VariableNotFoundError: no such variable, and no default.
        """
        from .variable import Variable

        chosen = default if is_arg_set(default) else default_var
        return Variable.get(key, default=chosen, deserialize_json=self._is_json)

    def __repr__(self) -> str:
        return "<variables>"


class ConnectionAccessor:
    """``conn`` of templates."""

    def __getattr__(self, conn_id: str) -> Any:
        from .connection import Connection

        if conn_id.startswith("__"):
            raise AttributeError(conn_id)
        return Connection.get(conn_id)

    def __getitem__(self, conn_id: str) -> Any:
        return self.__getattr__(conn_id)

    def get(self, conn_id: str, default_conn: Any = None) -> Any:
        """Return a connection, or the default."""
        from .secrets_lookup import find_connection

        found = find_connection(conn_id)
        return default_conn if found is None else found

    def __repr__(self) -> str:
        return "<connections>"
