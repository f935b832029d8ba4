"""What is being declared right now: the open ``with DAG`` and ``with TaskGroup`` blocks.

Also where the parser learns of DAGs that a file declares without binding them to a name.
DAG files are imported in one thread of a process of their own, so plain lists are enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import TYPE_CHECKING, Any

from .source_dialect import dialect_of_compiled, dialect_of_source_file

if TYPE_CHECKING:
    from .dag import DAG
    from .task_group import TaskGroup


class FileBeingParsed:
    """The DAG file that this process imports now, and the DAGs that registered themselves."""

    def __init__(self, path: str, dialect: str | None = None) -> None:
        self.path = path
        #: The dialect of the file itself; DAGs declared by a helper without a dialect take it.
        self.dialect = dialect
        self.registered: list[DAG] = []
        #: Settings that tasks take where they say nothing, as they were first read here.
        self.settings: dict[tuple[str, str], Any] = {}


_open_blocks: list[DAG | TaskGroup] = []
_file: FileBeingParsed | None = None


class DagContext:
    """Airflow's name for the stack of open DAG blocks."""

    @staticmethod
    def get_current_dag() -> DAG | None:
        """Return the innermost DAG whose ``with`` block is open."""
        for block in reversed(_open_blocks):
            if is_dag(block):
                return block  # type: ignore[return-value]
        return None

    get_current = get_current_dag


class TaskGroupContext:
    """Airflow's name for the stack of open task group blocks."""

    @staticmethod
    def get_current_task_group(dag: DAG | None) -> TaskGroup | None:
        """Return the innermost open group of *dag*: its root group if none is open.

        Without a DAG, the innermost open group of whichever DAG.
        """
        for block in reversed(_open_blocks):
            if is_dag(block):
                break
            group: TaskGroup = block  # type: ignore[assignment]
            if dag is None or group.dag is dag:
                return group
        return dag.task_group if dag is not None else None


def is_dag(block: object) -> bool:
    """Tell a DAG from a group without importing either."""
    return hasattr(block, "task_dict")


def push(block: DAG | TaskGroup) -> None:
    """Open a block. A DAG with ``auto_register`` becomes known to the parser."""
    _open_blocks.append(block)
    if _file is not None and is_dag(block) and getattr(block, "auto_register", False):
        dag: DAG = block  # type: ignore[assignment]
        if not any(known is dag for known in _file.registered):
            _file.registered.append(dag)


def pop(block: DAG | TaskGroup) -> None:
    """Close the innermost block, which must be *block*."""
    if _open_blocks and _open_blocks[-1] is block:
        _open_blocks.pop()
    elif block in _open_blocks:  # a block that an exception left open lies above
        while _open_blocks.pop() is not block:
            pass


def current_file() -> FileBeingParsed | None:
    """Return the DAG file that is being imported, if any."""
    return _file


@contextmanager
def file_being_parsed(
    path: str, compiled: tuple[bytes, CodeType] | None = None
) -> Iterator[FileBeingParsed]:
    """Collect the DAGs that importing *path* declares. Blocks left open are closed.

    Args:
        compiled: the file's text and what was compiled of it; None: it is read for its dialect.
    """
    global _file
    before, blocks_before = _file, list(_open_blocks)
    dialect = dialect_of_source_file(path) if compiled is None else dialect_of_compiled(*compiled)
    _file = FileBeingParsed(path, dialect)
    _open_blocks.clear()
    try:
        yield _file
    finally:
        _file = before
        _open_blocks[:] = blocks_before
