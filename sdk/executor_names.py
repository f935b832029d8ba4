"""How settings and tasks may name an executor, and the one name under which it is known.

A task that names none runs on whatever is the default when it is *claimed*: its row says nothing,
so that a change of ``[core] executor`` strands nobody. Source: Airflow's "Using multiple
executors concurrently".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .errors import ConfigurationError

LOCAL: Final = "LocalExecutor"
CELERY: Final = "CeleryExecutor"
#: Under this name a triggerer stands among the workers: no task instance is queued for it.
TRIGGERER: Final = "Triggerer"
#: What a task instance names that leaves the choice to the settings.
DEFAULT: Final = ""
#: Executors of Airflow that run tasks on this machine, one way or the other.
_ON_THIS_MACHINE: Final = frozenset(
    {"LocalExecutor", "SequentialExecutor", "DebugExecutor", "ThreadedLocalExecutor"}
)
_KNOWN: Final = frozenset({LOCAL, CELERY})
#: Import paths below these are Airflow's or our own executors, by whatever module name.
_OUR_PATHS: Final = ("airflow.", "tradewind.")


def canonical_executor(name: str) -> str:
    """Return the name under which task instances are queued and claimed.

    ``SequentialExecutor`` and Airflow's import paths of the Local and the Celery executor are
    those; an alias (``alias:path``) is what it stands for; any other name stays as it is.
    """
    path = name.strip().rpartition(":")[2]
    last = path.rpartition(".")[2]
    if path == last or path.startswith(_OUR_PATHS):
        if last in _ON_THIS_MACHINE:
            return LOCAL
        if last == CELERY:
            return CELERY
    return path


@dataclass(frozen=True, slots=True)
class ConfiguredExecutor:
    """One entry of ``[core] executor``.

    ``canonical``: the one name it is known by. ``names``: all that tasks may call it by.
    """

    canonical: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class ExecutorNames:
    """All executors of this installation; the first is the default."""

    executors: Sequence[ConfiguredExecutor] = (ConfiguredExecutor(LOCAL, frozenset({LOCAL})),)

    @property
    def default(self) -> str:
        """The executor of a task that names none."""
        return self.executors[0].canonical

    @property
    def canonical_names(self) -> list[str]:
        """The executors in the order of the setting."""
        return [one.canonical for one in self.executors]

    def resolve(self, name: str) -> str | None:
        """Return the canonical name of what a task names ("": the default), None if unknown."""
        if name == DEFAULT:
            return self.default
        wanted = canonical_executor(name)
        for one in self.executors:
            if wanted == one.canonical or name in one.names:
                return one.canonical
        return None

    def names_of(self, canonical: str) -> Collection[str]:
        """Return every name under which rows may speak of this executor."""
        names = {canonical}
        for one in self.executors:
            if one.canonical == canonical:
                names |= one.names
        if canonical == self.default:
            names.add(DEFAULT)
        return sorted(names)

    def by_name(self) -> Mapping[str, str]:
        """Return every name, as rows have it, with the executor that it stands for."""
        return {
            name: one.canonical for one in self.executors for name in self.names_of(one.canonical)
        }


def read_executor_names(entries: Sequence[str]) -> ExecutorNames:
    """Read the entries of ``[core] executor``: names, import paths, ``alias:path``.

    Raises:
        ConfigurationError: one of them cannot be an executor, or one is named twice.
    """
    found: list[ConfiguredExecutor] = []
    for entry in entries:
        one = _read_entry(entry.strip())
        if any(other.canonical == one.canonical for other in found):
            raise ConfigurationError(
                f"[core] executor names {one.canonical} twice; name each executor once"
            )
        found.append(one)
    if not found:
        raise ConfigurationError("[core] executor is empty; name one, such as LocalExecutor")
    return ExecutorNames(tuple(found))


def require_executors(tasks: Iterable[Any]) -> None:
    """Make sure that every executor that tasks name is among those of the settings.

    Raises:
        UnknownExecutorException: one is not. Airflow refuses the DAG in the same way.
    """
    named = [task for task in tasks if task.executor]
    if not named:
        return
    from .configuration import conf
    from .exceptions import UnknownExecutorException

    names = read_executor_names(conf.getlist("core", "executor"))
    for task in named:
        if names.resolve(task.executor) is None:
            raise UnknownExecutorException(
                f"Task {task.task_id!r} names the executor {task.executor!r}, which is not"
                " available. List it in [core] executor, or let the task name one of"
                f" {', '.join(names.canonical_names)}."
            )


def _read_entry(entry: str) -> ConfiguredExecutor:
    parts = [part.strip() for part in entry.split(":")]
    if len(parts) > 2 or not all(parts):
        raise ConfigurationError(
            f"[core] executor: {entry!r} cannot be read; write a name, an import path,"
            " or alias:import.path"
        )
    path = parts[-1]
    canonical = canonical_executor(path)
    if canonical not in _KNOWN and ("." not in path or path.startswith("airflow.")):
        raise ConfigurationError(
            f"[core] executor names {path}, which there is not; use LocalExecutor,"
            " CeleryExecutor or the import path of a class of your own"
        )
    return ConfiguredExecutor(canonical, frozenset({*parts, path.rpartition(".")[2], canonical}))
