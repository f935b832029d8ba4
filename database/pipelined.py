"""Statements in psycopg's pipeline: each is sent at once, and waited for when its answer is asked.

PostgreSQL does them in order, each with a snapshot of its own, as if each had been waited for;
what is saved is the way there and back. What nobody asks the answer of is waited for at the end,
before the commit: an error there undoes the transaction like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg

from .prepared import LostRace, Ordered, Prepared, PreparedConnection, Rows

if TYPE_CHECKING:
    from sqlalchemy import Connection


@contextmanager
def pipelined(connection: Connection, *, is_trusting: bool) -> Iterator[PreparedConnection]:
    """Give a transaction's statements a pipeline, as long as this lasts. See ``prepared``."""
    made = _PipelinedConnection(connection)
    made.is_trusting = is_trusting
    try:
        yield made
        made.leave()
    finally:
        made.abandon()


class _PipelinedConnection(PreparedConnection):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._pipeline: psycopg.Pipeline | None = None
        self._open: Any = None
        self._trusted: list[tuple[Any, int]] = []

    def trust(self, answer: Any, count: int) -> None:
        """See ``PreparedConnection.trust``."""
        self._trusted.append((answer, count))

    def run(self, statement: Prepared, ordered: Ordered) -> Any:
        """See ``PreparedConnection.run``. The answer is waited for when somebody looks at it."""
        text, values = ordered
        cursor = self._cursor()
        try:
            cursor.execute(text, values)
        except psycopg.Error as error:
            raise self._refused(error, text) from error
        return _LateRows(self, statement, cursor)

    def run_many(self, statement: Prepared, ordered: Sequence[Ordered]) -> Any:
        """See ``PreparedConnection.run_many``."""
        cursor = self._cursor()
        try:
            cursor.executemany(statement.text, [values for _, values in ordered])
        except psycopg.Error as error:
            raise self._refused(error, statement.text) from error
        return _LateRows(self, statement, cursor)

    def command(self, text: str) -> None:
        """See ``PreparedConnection.command``."""
        cursor = self._cursor()
        try:
            cursor.execute(text)
        except psycopg.Error as error:
            raise self._refused(error, text) from error

    def execute_plainly(self, statement: Any, parameters: Any = None) -> Any:
        """Execute through SQLAlchemy, which knows no pipelines."""
        self.leave()
        return super().execute_plainly(statement, parameters)

    def exec_driver_sql(self, statement: str, parameters: Any = ()) -> Any:
        """Execute SQL as it is."""
        self.leave()
        return super().exec_driver_sql(statement, parameters)

    def settle(self) -> None:
        """Wait for all answers that are not here yet."""
        if self._pipeline is not None:
            try:
                self._pipeline.sync()
            except psycopg.Error as error:
                raise self._refused(error, "(some statements in a pipeline)") from error
        trusted, self._trusted = self._trusted, []
        if any(answer.rowcount != count for answer, count in trusted):
            raise LostRace

    def leave(self) -> None:
        """Wait for all answers, and go on without a pipeline until the next statement."""
        self.settle()
        self.abandon()

    def abandon(self) -> None:
        """Leave the pipeline, whatever its statements said."""
        entered, self._open, self._pipeline = self._open, None, None
        if entered is None:
            return
        # What went wrong was told when it was waited for; then the transaction is undone.
        with suppress(psycopg.Error):
            entered.__exit__(None, None, None)

    def _cursor(self) -> Any:
        if self._pipeline is None:
            self._open = self.driver.pipeline()
            self._pipeline = self._open.__enter__()
        return self.driver.cursor()

    def _refused(self, error: psycopg.Error, text: str) -> Any:
        """Return an error as SQLAlchemy's, and let go of a connection that is lost."""
        if self.driver.closed or self.dialect.is_disconnect(error, self.driver, None):
            self._open = self._pipeline = None
            self._plain.invalidate(error)
        elif self._trusted and isinstance(error, psycopg.IntegrityError):
            return LostRace()  # whoever was first has left what this one would have
        return self.wrapped(error, text, None, psycopg.Error)


class _LateRows:
    """An answer that is waited for when somebody looks at it."""

    def __init__(self, connection: _PipelinedConnection, statement: Prepared, cursor: Any) -> None:
        self._connection = connection
        self._statement = statement
        self._cursor = cursor
        self._rows: Rows | None = None

    def __getattr__(self, name: str) -> Any:
        if self._rows is None:
            self._connection.settle()
            found = self._cursor.fetchall() if self._statement.row is not None else ()
            self._rows = Rows(self._statement.read(found), self._cursor.rowcount, None)
        return getattr(self._rows, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.all())
