"""Which generation of Airflow a DAG was written for, told by imports (architecture, section 4).

Any ``airflow.sdk`` in the module that calls ``DAG(...)`` or ``@dag`` means 3; otherwise any
other ``airflow`` path means 2 (``airflow.providers`` never counts); a module that says neither
takes the DAG file's, and that failing the setting ``[core] dialect``.
"""

from __future__ import annotations

import linecache
import sys
from _ast import AST, Import, ImportFrom, PyCF_ONLY_AST
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from . import dag_context

TWO, THREE = "2", "3"

_PACKAGE = __name__.partition(".")[0]
_by_file: dict[tuple[str, int, int], str | None] = {}


def calling_frame() -> FrameType | None:
    """Return the nearest frame outside of Tradewind and its façade: the one that calls us."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return frame


def _is_ours(module_name: str) -> bool:
    if module_name.startswith("airflow.providers"):
        return False
    return module_name.startswith((f"{_PACKAGE}.", "airflow.")) or module_name in (
        _PACKAGE,
        "airflow",
    )


def dialect_of(frame: FrameType | None) -> str:
    """Return "2" or "3" for a DAG that is declared in *frame*."""
    forced = _setting()
    if forced in (TWO, THREE):
        return forced
    told = None
    if frame is not None:
        told = dialect_of_source_file(frame.f_globals.get("__file__") or frame.f_code.co_filename)
    if told is None and (parsed := dag_context.current_file()) is not None:
        told = parsed.dialect
    return told or THREE


def _setting() -> str:
    from .configuration import conf

    return str(conf.get("core", "dialect", fallback="auto")).strip().lower()


def dialect_of_source_file(path: str) -> str | None:
    """Return what the imports of a file say, None when they say nothing or it cannot be read."""
    file = Path(path)
    try:
        stat = file.stat()
        key = (path, stat.st_mtime_ns, stat.st_size)
        if key not in _by_file:
            _by_file[key] = dialect_of_source(file.read_bytes())
        return _by_file[key]
    except OSError:  # of an archive: whoever imports it has shown its lines
        return dialect_of_source("".join(linecache.getlines(path)).encode())


def dialect_of_source(source: bytes) -> str | None:
    """Return "2", "3" or None for the text of one module."""
    if b"airflow" not in source:  # spares most helper modules the syntax tree
        return None
    try:
        tree = compile(source, "<dialect>", "exec", PyCF_ONLY_AST, dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    names = set(_imported_names(tree))
    if any(name == "airflow.sdk" or name.startswith("airflow.sdk.") for name in names):
        return THREE
    if any(not name.startswith("airflow.providers") for name in names):
        return TWO
    return None


def _imported_names(tree: AST) -> Iterator[str]:
    """Yield the dotted airflow paths that a module imports, anywhere in it.

    Walks statements by hand: loading the ``ast`` module would cost every process 4 ms.
    """
    for node in _statements(tree):
        if isinstance(node, Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ImportFrom) and node.level == 0 and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] == "airflow")


def _statements(node: AST) -> Iterator[AST]:
    """Yield every statement below *node*: imports stand nowhere else."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        inside = getattr(node, block, None)
        if isinstance(inside, list):  # a lambda's body is an expression
            for statement in inside:
                yield statement
                yield from _statements(statement)
