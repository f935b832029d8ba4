"""Calling ``on_…_callback``: an error in one is logged, and changes nothing (semantics 5.10)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any


def run_callbacks(task: Any, name: str, context: Any, log: logging.Logger) -> None:
    """Call the callbacks of a task that are called *name* (``on_success_callback``), in order."""
    for callback in callbacks_of(getattr(task, name, None)):
        try:
            callback(context)
        except (Exception, SystemExit):  # user code: the task has ended as it has
            log.exception("The %s %s failed", name, getattr(callback, "__name__", callback))


def callbacks_of(value: Any) -> Iterable[Callable[[Any], Any]]:
    """Return callbacks as they were given: none, one, or several."""
    if value is None:
        return ()
    return (value,) if callable(value) else tuple(value)
