"""Which values of the context a user's function is called with (semantics sections 3.3 and 7.2)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .context import Context

if TYPE_CHECKING:
    import inspect


def determine_kwargs(
    func: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return those of *kwargs* (a context, or a context with own arguments) that *func* takes.

    Args:
        args: what it is called with by position.

    Raises:
        ValueError: a position belongs to a parameter that *kwargs* names as well.
    """
    try:
        parameters = parameters_of(func)
    except (TypeError, ValueError):  # some built-in functions do not say what they take
        return {}
    by_position = [p for p in parameters if p.kind is not p.KEYWORD_ONLY][: len(args)]
    for parameter in by_position:
        if parameter.kind is not parameter.VAR_POSITIONAL and parameter.name in kwargs:
            raise ValueError(
                f"the parameter {parameter.name!r} is filled from the context, so it cannot be "
                "given by position: rename it, or pass it by name"
            )
    taken = {parameter.name for parameter in by_position}
    found = {
        parameter.name: kwargs[parameter.name]
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and parameter.name in kwargs
        and parameter.name not in taken
    }
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        peek = kwargs.peek if isinstance(kwargs, Context) else kwargs.__getitem__
        for name in kwargs:
            if name not in found and name not in taken:
                found[name] = peek(name)
    return found


def parameters_of(func: Callable[..., Any]) -> Sequence[inspect.Parameter]:
    """Return what *func* takes. Remembered for plain functions: a task host asks ahead.

    Raises:
        TypeError, ValueError: it does not say.
    """
    return _remembered(func) if type(func) is FunctionType else _asked(func)


def _asked(func: Callable[..., Any]) -> Sequence[inspect.Parameter]:
    import inspect  # late here and below: declaring a DAG needs none of it, and it takes 5 ms

    return tuple(inspect.signature(func).parameters.values())


_remembered = functools.lru_cache(maxsize=1024)(_asked)


def make_kwargs_callable(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return *func* made to drop the keyword arguments that it does not take."""

    @functools.wraps(func)
    def called(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **determine_kwargs(func, args, kwargs))

    return called


def call_with_context(
    func: Callable[..., Any],
    op_args: Collection[Any],
    op_kwargs: Mapping[str, Any],
    context: Context,
) -> Any:
    """Call a user's function with its own arguments, and with what it takes of the context.

    A coroutine is awaited on an event loop of its own. A generator is run to its end: what it
    yields (``Metadata``) says something of the assets produced, what it returns is the result.
    """
    import inspect

    names = context.copy()
    names.update(op_kwargs)
    result = func(*op_args, **determine_kwargs(func, op_args, names))
    if inspect.iscoroutine(result):
        import asyncio

        return asyncio.run(result)
    if inspect.isgenerator(result) and inspect.isgeneratorfunction(inspect.unwrap(func)):
        return run_generator(result, context)
    return result


def run_generator(generator: Any, context: Mapping[str, Any]) -> Any:
    """Take the asset metadata that a generator yields, and return what it returns."""
    while True:
        try:
            item = next(generator)
        except StopIteration as stop:
            return stop.value
        _note_metadata(item, context)


def _note_metadata(item: Any, context: Mapping[str, Any]) -> None:
    from .asset import Metadata
    from .exceptions import InvalidArgumentError

    if not isinstance(item, Metadata):
        raise InvalidArgumentError(
            f"a task's function may yield Metadata only, not {type(item).__name__}; to return "
            "many values, return a list"
        )
    if item.alias is not None:
        context["outlet_events"][item.alias].add(item.asset, item.extra)
    else:
        context["outlet_events"][item.asset].extra.update(item.extra)
