"""The time between two instants, in seconds, as each database computes it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Between(FunctionElement[float]):
    type = Float()
    inherit_cache = True
    name = "seconds_between"


def seconds_between(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[float]:
    """Return the seconds from *start* to *end*; NULL where one of them is."""
    return _Between(start, end)


@compiles(_Between, "sqlite")
def _on_sqlite(element: _Between, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(one, **options) for one in element.clauses)
    return f"((julianday({end}) - julianday({start})) * 86400.0)"


@compiles(_Between, "postgresql")
def _on_postgresql(element: _Between, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(one, **options) for one in element.clauses)
    return f"EXTRACT(EPOCH FROM ({end} - {start}))"
