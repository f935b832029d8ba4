"""``@dag``: a function whose body declares a DAG (semantics section 1.3)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from . import dialect
from .dag import DAG
from .param import Param
from .xcom_arg import XComArg


def dag(dag_id: Any = "", *args: Any, **kwargs: Any) -> Any:
    """Make calling a function build a DAG: ``@dag`` or ``@dag(...)``.

    The DAG is named after the function unless an id is given; its docstring is the DAG's
    documentation; its arguments become params.
    """
    if callable(dag_id):
        return _factory(dag_id, "", (), {})
    given_id = kwargs.pop("dag_id", dag_id)
    return lambda function: _factory(function, given_id, args, kwargs)


def _factory(
    function: Callable[..., Any], dag_id: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Callable[..., DAG]:
    # The module that decorates tells the dialect, whoever calls the function afterwards.
    spoken = dialect.dialect_of(dialect.calling_frame())

    import inspect  # late: files without @dag do not pay for it

    @functools.wraps(function)
    def build(*call_args: Any, **call_kwargs: Any) -> DAG:
        bound = inspect.signature(function).bind(*call_args, **call_kwargs)
        bound.apply_defaults()
        settings = dict(kwargs)
        if not settings.get("doc_md") and function.__doc__:
            settings["doc_md"] = inspect.getdoc(function)
        made = DAG(
            dag_id or function.__name__,
            *args,
            _dialect=spoken,
            _fileloc=function.__code__.co_filename,
            **settings,
        )
        with made:
            arguments = {
                name: made.param(name, _as_default(value))
                for name, value in bound.arguments.items()
            }
            result = function(**arguments)
        if isinstance(result, XComArg):
            made.result = result
        return made

    return build


def _as_default(value: Any) -> Any:
    return (
        Param(value.value, value.description, schema=value.schema)
        if isinstance(value, Param)
        else value
    )
