"""Statements in libpq's pipeline: sent together, when the answer to one of them is looked at.

PostgreSQL does them in order, each with a snapshot of its own, as if each had been waited for;
what is saved is the way there and back. What nobody asks the answer of is waited for at the end,
before the commit: an error there undoes the transaction like any other.

psycopg's own pipeline would do, but it talks to the kernel for each statement, and makes a cursor
for each, which costs more than all else that the store does with it.
"""

from __future__ import annotations

import re
import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import InvalidSqlStatementName, error_from_result

from .postgresql import PREPARED
from .prepared import LostRace, Ordered, Prepared, PreparedConnection, Rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: In what SQLAlchemy keeps beside a connection: how many names were given. A name is given once,
#: since preparing may have been all that went well.
_NAMED: Final = "tradewind: names given"
#: More than the store has; but a list's text is another one for each length.
_NAMES_MAX: Final = 200
_BEGIN: Final = b"BEGIN ISOLATION LEVEL READ COMMITTED"


@contextmanager
def pipelined(connection: Connection, *, is_trusting: bool) -> Iterator[PreparedConnection]:
    """Give a transaction's statements a pipeline, as long as this lasts. See ``prepared``."""
    made = _PipelinedConnection(connection)
    made.is_trusting = is_trusting
    yield made
    made.settle()


class _PipelinedConnection(PreparedConnection):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._info = connection.info
        # Unset where a pooler between gives each transaction another server process.
        is_to_prepare = self.driver.prepare_threshold is not None
        self._names_max = _NAMES_MAX if is_to_prepare else 0
        self._waiting: list[_Answer] = []
        self._trusted: list[tuple[_Answer, int]] = []

    def run(self, statement: Prepared, ordered: Ordered) -> Any:
        """See ``PreparedConnection.run``. It is sent when somebody looks at an answer."""
        return self.run_many(statement, [ordered])

    def run_many(self, statement: Prepared, ordered: Sequence[Ordered]) -> Any:
        """See ``PreparedConnection.run_many``."""
        try:
            orders = [(text, [_on_wire(one) for one in values]) for text, values in ordered]
        except psycopg.Error as error:
            raise self.wrapped(error, statement.text, None, psycopg.Error) from error
        answer = _Answer(self, statement, orders)
        self._waiting.append(answer)
        return answer

    def command(self, text: str) -> None:
        """See ``PreparedConnection.command``."""
        self._waiting.append(_Answer(self, None, [(text, [])]))

    def trust(self, answer: Any, count: int) -> None:
        """See ``PreparedConnection.trust``."""
        self._trusted.append((answer, count))

    def execute_plainly(self, statement: Any, parameters: Any = None) -> Any:
        """Execute through SQLAlchemy, which knows no pipelines."""
        self.settle()
        return super().execute_plainly(statement, parameters)

    def exec_driver_sql(self, statement: str, parameters: Any = ()) -> Any:
        """Execute SQL as it is."""
        self.settle()
        return super().exec_driver_sql(statement, parameters)

    def settle(self) -> None:
        """Send what waits, and wait for all answers.

        Raises:
            LostRace: what was trusted to win has not.
        """
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._exchange(waiting)
        trusted, self._trusted = self._trusted, []
        if any(answer.rowcount != count for answer, count in trusted):
            raise LostRace

    def _exchange(self, waiting: Sequence[_Answer]) -> None:
        wire: pq.abc.PGconn = self.driver.pgconn
        names: dict[str, bytes] = self._info.setdefault(PREPARED, {})
        new: dict[str, bytes] = {}
        try:
            wire.enter_pipeline_mode()
            heads = 0
            if wire.transaction_status == pq.TransactionStatus.IDLE:
                wire.send_query_params(_BEGIN, None)
                heads = 1
            counts = [self._send(wire, answer, names, new) for answer in waiting]
            wire.pipeline_sync()
            results = _read_all(wire)
            wire.exit_pipeline_mode()
        except BaseException as error:
            # Nobody knows what is still on its way; the server undoes what was not committed.
            self._plain.invalidate()
            if not isinstance(error, psycopg.Error):
                raise
            raise self.wrapped(error, "(in a pipeline)", None, psycopg.Error) from error
        self._check(results, waiting, counts, heads)
        names.update(new)
        place = heads
        transformer = Transformer(self.driver)
        for answer, (prepares, count) in zip(waiting, counts, strict=True):
            place += prepares
            answer.take(results[place : place + count], transformer)
            place += count

    def _send(
        self,
        wire: pq.abc.PGconn,
        answer: _Answer,
        names: dict[str, bytes],
        new: dict[str, bytes],
    ) -> tuple[int, int]:
        """Send one statement; return how many results come before its own, and of its own."""
        prepares = 0
        for text, values in answer.orders:
            name = names.get(text) or new.get(text)
            if name is None and len(names) + len(new) < self._names_max:
                number = self._info[_NAMED] = self._info.get(_NAMED, 0) + 1
                name = new[text] = b"tw%d" % number
                wire.send_prepare(name, _numbered(text))
                prepares += 1
            if name is None:
                wire.send_query_params(_numbered(text), values)
            else:
                wire.send_query_prepared(name, values)
        return prepares, len(answer.orders)

    def _check(
        self,
        results: Sequence[pq.abc.PGresult],
        waiting: Sequence[_Answer],
        counts: Sequence[tuple[int, int]],
        heads: int,
    ) -> None:
        """Tell what went wrong first, if anything did."""
        ends, end = [], heads
        for count in counts:
            end += sum(count)
            ends.append(end)
        for place, result in enumerate(results):
            if result.status != pq.ExecStatus.FATAL_ERROR:
                continue
            error = error_from_result(result, encoding="utf-8")
            if isinstance(error, InvalidSqlStatementName):
                self._info.pop(PREPARED, None)  # somebody has deallocated all
            if self._is_to_be_done_again(error):
                raise LostRace from error
            text = next(
                (one.orders[0][0] for one, end in zip(waiting, ends, strict=True) if place < end),
                "BEGIN",
            )
            if self.driver.closed:
                self._plain.invalidate()
            raise self.wrapped(error, text, None, psycopg.Error) from error

    def _is_to_be_done_again(self, error: psycopg.Error) -> bool:
        if isinstance(error, psycopg.IntegrityError):
            # Whoever was first may have left what this one was about to leave.
            return bool(self._trusted)
        return self.is_trusting and isinstance(error, InvalidSqlStatementName)


class _Answer:
    """An answer that is waited for when somebody looks at it."""

    def __init__(
        self,
        connection: _PipelinedConnection,
        statement: Prepared | None,
        orders: Sequence[tuple[str, list[bytes | None]]],
    ) -> None:
        self._connection = connection
        self._statement = statement
        #: Its text and values; one text for all, where there are several.
        self.orders = orders
        self._rows: Rows | None = None

    def take(self, results: Sequence[pq.abc.PGresult], transformer: Any) -> None:
        """Keep what the server said."""
        found: list[Any] = []
        statement = self._statement
        if statement is not None and statement.row is not None:
            transformer.set_pgresult(results[0])
            found = statement.read(transformer.load_rows(0, results[0].ntuples, tuple))
        self._rows = Rows(found, sum(one.command_tuples or 0 for one in results), None)

    def __getattr__(self, name: str) -> Any:
        if self._rows is None:
            self._connection.settle()
        return getattr(self._rows, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.all())


def _read_all(wire: pq.abc.PGconn) -> list[pq.abc.PGresult]:
    """Return the results of all that was sent, without their end."""
    poller = select.poll()
    poller.register(wire.socket, select.POLLIN | select.POLLOUT)
    while wire.flush():  # both sides may have much to say
        if any(events & select.POLLIN for _, events in poller.poll()):
            wire.consume_input()
    poller.modify(wire.socket, select.POLLIN)
    results: list[pq.abc.PGresult] = []
    while True:
        while wire.is_busy():
            poller.poll()
            wire.consume_input()
        result = wire.get_result()
        if result is None:  # the end of one statement's results
            if wire.status == pq.ConnStatus.BAD:
                raise psycopg.OperationalError("the connection is lost")
            continue
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            return results
        results.append(result)


@lru_cache(maxsize=1000)
def _numbered(text: str) -> bytes:
    """Return a statement with $1, $2, … in place of each %s."""
    numbers = iter(range(1, text.count("%") + 1))
    numbered = re.sub("%[%s]", lambda at: "%" if at[0] == "%%" else f"${next(numbers)}", text)
    return numbered.encode()


def _on_wire(value: Any) -> bytes | None:
    """Return a value as PostgreSQL reads it; statements tell the types.

    Raises:
        DataError: it is a text that PostgreSQL cannot keep.
    """
    if value is None:
        return None
    if isinstance(value, str):
        if "\0" in value:  # libpq would take it for the end
            raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
        return value.encode()
    if isinstance(value, bool):
        return b"t" if value else b"f"
    if isinstance(value, int | float | datetime):
        return str(value).encode()
    raise TypeError(f"{type(value).__name__} cannot be sent to PostgreSQL on the shorter way")
