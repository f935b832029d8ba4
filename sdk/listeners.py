"""Listeners: functions of plugins that hear of what tasks, runs, assets and DAG files do.

A plugin lists modules or objects in ``listeners``; their functions that carry ``@hookimpl`` are
called by name, each with those of the hook's arguments that it declares. The mark is the one that
pluggy's ``HookimplMarker("airflow")`` leaves, so listeners that bring pluggy work, too; of pluggy
itself nothing more is needed than that. An error in a listener is logged and changes nothing.
Source: ``spec/semantics.md`` section 5.10.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Any

log = logging.getLogger(__name__)

#: The attribute by which pluggy finds what is marked for the project "airflow".
MARK = "airflow_impl"

#: hook → its arguments. A listener may take any of them. ``session`` (Airflow 2) is always None.
HOOKS: Mapping[str, tuple[str, ...]] = {
    "on_starting": ("component",),
    "before_stopping": ("component",),
    "on_task_instance_running": ("previous_state", "task_instance", "session"),
    "on_task_instance_success": ("previous_state", "task_instance", "session"),
    "on_task_instance_failed": ("previous_state", "task_instance", "error", "session"),
    "on_task_instance_skipped": ("previous_state", "task_instance", "session"),
    "on_dag_run_running": ("dag_run", "msg"),
    "on_dag_run_success": ("dag_run", "msg"),
    "on_dag_run_failed": ("dag_run", "msg"),
    "on_asset_created": ("asset",),
    "on_asset_alias_created": ("asset_alias",),
    "on_asset_changed": ("asset",),
    "on_asset_event_emitted": ("asset_event",),
    "on_dataset_created": ("dataset",),
    "on_dataset_changed": ("dataset",),
    "on_dataset_alias_created": ("dataset_alias",),
    "on_new_dag_import_error": ("filename", "stacktrace"),
    "on_existing_dag_import_error": ("filename", "stacktrace"),
}

#: Called in the process of the task; all others by the parser, from what was committed.
TASK_HOOKS = frozenset(
    {
        "on_starting",
        "before_stopping",
        "on_task_instance_running",
        "on_task_instance_success",
        "on_task_instance_failed",
        "on_task_instance_skipped",
    }
)


def hookimpl(function: Any = None, **options: Any) -> Any:
    """Mark a function as a listener; with or without parentheses."""

    def mark(marked: Any) -> Any:
        setattr(marked, MARK, {"specname": None, **options})
        return marked

    return mark if function is None else mark(function)


class TaskRunnerMarker:
    """The component that a task's process passes to ``on_starting`` and ``before_stopping``."""


class Listeners:
    """What listens in this process."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[..., Any]]] = {}
        self._known: list[Any] = []

    def add(self, listener: Any) -> None:
        """Take in a module or an object; functions without the mark are not listeners."""
        if any(one is listener for one in self._known):
            return
        self._known.append(listener)
        for name in dir(listener):
            function = getattr(listener, name, None)
            options = getattr(function, MARK, None)
            if not callable(function) or not isinstance(options, Mapping):
                continue
            hook = options.get("specname") or name
            if hook in HOOKS:
                self._listeners.setdefault(hook, []).append(function)
            else:
                log.warning("a listener for %r is never called: there is no such hook", hook)

    def hooks(self) -> list[str]:
        """Return the names of the hooks that somebody listens to."""
        return sorted(self._listeners)

    def has(self, *hooks: str) -> bool:
        """Tell whether somebody listens to one of these hooks."""
        return any(hook in self._listeners for hook in hooks)

    def call(self, hook: str, **arguments: Any) -> None:
        """Call all listeners of a hook; one that raises is logged, and the others are called."""
        for function in self._listeners.get(hook, ()):
            try:
                function(**_taken(function, {**arguments, "session": None}))
            except (Exception, SystemExit):  # user code: what it listens to goes on
                log.exception("the listener %s failed", getattr(function, "__qualname__", hook))


class _Hooks:
    """``manager.hook.on_starting(component=…)``, as pluggy's callers write it."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in HOOKS:
            raise AttributeError(f"there is no hook {name!r}")
        return lambda **arguments: self._listeners.call(name, **arguments)


class ListenerManager:
    """Airflow's name for what holds the listeners of a process."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self.hook = _Hooks(listeners)

    @property
    def has_listeners(self) -> bool:
        """Whether anybody listens."""
        return bool(self._listeners.hooks())

    def add_listener(self, listener: Any) -> None:
        """Take in a module or an object."""
        self._listeners.add(listener)


def get_listener_manager() -> ListenerManager:
    """Return the listeners of this process, those of plugins among them."""
    from .plugins import load_plugins

    return ListenerManager(load_plugins().listeners)


def _taken(function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of *arguments* that a listener declares."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return dict(arguments)
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return dict(arguments)
    names = {parameter.name for parameter in parameters}
    return {name: value for name, value in arguments.items() if name in names}
