"""How settings and tasks may name an executor, and the one name under which it is known."""

from __future__ import annotations

from typing import Final

LOCAL: Final = "LocalExecutor"
#: Executors of Airflow that run tasks on this machine, one way or the other.
_ON_THIS_MACHINE: Final = frozenset(
    {"LocalExecutor", "SequentialExecutor", "DebugExecutor", "ThreadedLocalExecutor"}
)


def canonical_executor(name: str) -> str:
    """Return the name under which task instances are queued and claimed.

    ``SequentialExecutor`` and import paths that end in ``LocalExecutor`` are the Local executor;
    an alias (``alias:path``) is what it stands for; any other name stays as it is.
    """
    path = name.strip().rpartition(":")[2]
    return LOCAL if path.rpartition(".")[2] in _ON_THIS_MACHINE else path
