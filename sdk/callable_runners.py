"""What operators of the standard provider package use to call users' functions."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from .call_arguments import determine_kwargs, run_generator


class KeywordParameters:
    """Those of the context's values that a function takes by name."""

    def __init__(self, taken: Mapping[str, Any]) -> None:
        self._taken = taken

    @classmethod
    def determine(
        cls, func: Callable[..., Any], args: Collection[Any], kwargs: Mapping[str, Any]
    ) -> KeywordParameters:
        """Find them.

        Raises:
            ValueError: a position belongs to a parameter that *kwargs* names as well.
        """
        return cls(determine_kwargs(func, args, kwargs))

    def unpacking(self) -> Mapping[str, Any]:
        """Return them, to be passed on with two stars."""
        return self._taken

    def serializing(self) -> Mapping[str, Any]:
        """Return them, to be written down."""
        return self._taken


class ExecutionCallableRunner:
    """Calls a function; of a generator, what it yields says something of the assets produced."""

    def __init__(
        self,
        func: Callable[..., Any],
        outlet_events: Any,
        *,
        logger: logging.Logger | None = None,
    ) -> None:
        self.func = func
        self.outlet_events = outlet_events

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Call it and return its result.

        Raises:
            Exception: whatever it raises.
        """
        if not inspect.isgeneratorfunction(inspect.unwrap(self.func)):
            return self.func(*args, **kwargs)
        return run_generator(self.func(*args, **kwargs), {"outlet_events": self.outlet_events})


class AsyncExecutionCallableRunner(ExecutionCallableRunner):
    """The same for a coroutine function."""

    async def run(self, *args: Any, **kwargs: Any) -> Any:
        """Await it and return its result."""
        return await self.func(*args, **kwargs)


def context_get_outlet_events(context: Mapping[str, Any]) -> Any:
    """Return the accessor of the events that a task makes."""
    return context["outlet_events"]


def is_async_callable(func: Any) -> bool:
    """Tell whether calling *func* gives something to be awaited."""
    while hasattr(func, "func") and callable(func.func):  # functools.partial
        func = func.func
    func = inspect.unwrap(func)
    return inspect.iscoroutinefunction(func) or inspect.iscoroutinefunction(
        getattr(func, "__call__", None)  # noqa: B004 - the method is looked at, not whether it is
    )
