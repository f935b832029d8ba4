"""What the imports of a source file say of the Airflow generation that it was written for."""

from __future__ import annotations

import linecache
from _ast import AST, Import, ImportFrom, PyCF_ONLY_AST
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

TWO, THREE = "2", "3"

_by_file: dict[tuple[str, int, int], str | None] = {}


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


def dialect_of_compiled(source: bytes, code: CodeType) -> str | None:
    """Return what ``dialect_of_source`` does, mostly without a syntax tree: it is copied pages.

    Of all names in compiled code, those with a dot in them are imported modules.
    """
    if b"airflow" not in source:
        return None
    names = set(_names_in(code))
    if b".airflow" in source or ("airflow" in names and "sdk" in names):
        return dialect_of_source(source)  # a relative import, or ``from airflow import sdk``
    modules = [name for name in names if name.startswith("airflow.")]
    if any(name == "airflow.sdk" or name.startswith("airflow.sdk.") for name in modules):
        return THREE
    if any(not name.startswith("airflow.providers") for name in modules):
        return TWO
    # ``import airflow``, or something else of that name.
    return dialect_of_source(source) if "airflow" in names else None


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


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
