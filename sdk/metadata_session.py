"""Airflow's metadata session, which user code does not get here: importing is fine, use is not.

Task and DAG-parsing processes hold no database credentials. Whatever opens a session in Airflow
raises one clear line instead, at the moment of use, so that files that only import it load.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, TypeVar

from .exceptions import AirflowRuntimeError

_Function = TypeVar("_Function", bound=Callable[..., Any])

#: Default of a ``session`` parameter that ``provide_session`` is to fill.
NEW_SESSION: Any = None

_TEXT = (
    "Tasks and DAG files cannot open a session to the metadata database: it is out of their "
    "reach by design. Use Variable, Connection, XCom and the template context, or the REST API"
)


def refuse_session(*args: Any, **kwargs: Any) -> NoReturn:
    """Say that there is no session.

    Raises:
        AirflowRuntimeError: always.
    """
    raise AirflowRuntimeError(_TEXT)


@contextmanager
def create_session(scoped: bool = True) -> Iterator[Any]:
    """Refuse, on entry.

    Raises:
        AirflowRuntimeError: always.
    """
    refuse_session()
    yield  # type: ignore[unreachable]  # makes this a generator


def provide_session(function: _Function) -> _Function:
    """Let *function* run with a session that its caller passes; without one it refuses."""
    parameters = list(inspect.signature(function).parameters)
    if "session" not in parameters:
        raise ValueError(f"Function {function.__qualname__} has no `session` argument")
    position = parameters.index("session")

    @functools.wraps(function)
    def with_session(*args: Any, **kwargs: Any) -> Any:
        given = kwargs.get("session") if "session" in kwargs else args[position : position + 1]
        if not given:
            refuse_session()
        return function(*args, **kwargs)

    return with_session  # type: ignore[return-value] # same signature


class OutOfReach:
    """Stands where Airflow has a session factory, an engine or a table; any use of it refuses."""

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        refuse_session()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # introspection of a module's names is no use of it
            raise AttributeError(name)
        refuse_session()

    def __enter__(self) -> NoReturn:
        refuse_session()

    def __exit__(self, *args: object) -> None:
        return None

    def __repr__(self) -> str:
        return "<out of reach: the metadata database>"


out_of_reach = OutOfReach()
Session = out_of_reach
engine = out_of_reach
