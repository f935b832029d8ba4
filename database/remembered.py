"""Answers that hold until somebody writes: what a sweep asks again and again while all is at rest.

A sweep asks a dozen questions each second, and at rest all answers are those of the second
before. What depends on rows alone, and not on the time, need not be asked twice of a database to
which nobody has written (``change_mark.py``). Where that cannot be known (PostgreSQL, a database
in memory), each question is asked.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from sqlalchemy import Row, Select

from .caller import sees_less
from .engine import Database


class Remembered:
    """What was read last, by statement. Safe for threads: what is kept is never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[Select[Any], tuple[Hashable, Sequence[Row[Any]]]] = {}

    def rows(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        """Return the rows of a statement that has no parameters, and is one object for ever."""
        # Asked before it is read: what is written in between makes the next mark another one.
        mark = None if sees_less() else self._database.change_mark()
        kept = self._kept.get(statement)
        if mark is not None and kept is not None and kept[0] == mark:
            return kept[1]
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        if mark is not None:
            self._kept[statement] = (mark, rows)
        return rows

    def is_any(self, statement: Select[Any]) -> bool:
        """Tell whether a statement as above finds a row."""
        return bool(self.rows(statement))

    def value(self, statement: Select[Any]) -> Any:
        """Return the first column of the first row, None where there is none."""
        rows = self.rows(statement)
        return rows[0][0] if rows else None
