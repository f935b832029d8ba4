"""The store's statements on a shorter way to the driver, for what is done once a task or more.

What runs is what the store built: its statements, compiled by SQLAlchemy for the database, with
the types' own conversions both ways. Only what SQLAlchemy does anew at each execution (a cache
key, a context, a cursor's description, a result) is done once for each statement, and kept. That
is more than half of what a statement costs on SQLite. Statements that are built at each call, and
whatever this way does not know, go through SQLAlchemy.
"""

from __future__ import annotations

import copy
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.sql.compiler import SQLCompiler

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine import Dialect

#: By database, and a statement's identity: itself, so that no other takes its place, and what was
#: compiled for each set of parameters' names.
_KNOWN: dict[tuple[str, int], tuple[Any, dict[Any, Prepared | None]]] = {}
#: Met once. Only what is met again stands somewhere for good, and is worth being prepared.
_SEEN: dict[tuple[str, int], Any] = {}
_SEEN_MAX = 2000
#: Of a statement with lists, texts for as many lengths are kept.
_LENGTHS_MAX = 64


class LostRace(Exception):
    """A compare-and-set that was trusted to win has lost: nothing of the transaction counts."""


@contextmanager
def prepared(connection: Connection, *, is_trusting: bool = False) -> Iterator[Connection]:
    """Give the same transaction with the shorter way.

    Whoever listens to statements (``before_cursor_execute``) hears all of them: then it is the
    ordinary way.

    Args:
        is_trusting: a compare-and-set need not be waited for, where that costs something: if one
            has lost, the whole transaction is undone, and the caller does it again without this.

    Raises:
        LostRace: it was trusting, and one has lost.
    """
    given: object = connection
    if isinstance(given, PreparedConnection):  # a simulated world's, for example
        yield connection
        return
    if connection.engine.dispatch.before_cursor_execute:
        yield connection
        return
    if not connection.in_transaction():
        connection.begin()  # SQLAlchemy would think that there is nothing to commit
    if connection.dialect.name == "sqlite":
        # It has all that the store asks of a connection.
        yield cast("Connection", PreparedConnection(connection))
        return
    from .pipelined import pipelined

    with pipelined(connection, is_trusting=is_trusting) as shorter:
        yield cast("Connection", shorter)


def trusting(connection: object) -> PreparedConnection | None:
    """Return the connection if a compare-and-set on it need not be waited for."""
    if isinstance(connection, PreparedConnection) and connection.is_trusting:
        return connection
    return None


class PreparedConnection:
    """What the store asks of SQLAlchemy's connection, inside one transaction."""

    #: Whether ``trust`` may be called in place of looking at a count.
    is_trusting = False

    def __init__(self, connection: Connection) -> None:
        self.dialect = connection.dialect
        self.driver: Any = connection.connection.driver_connection
        self._plain = connection
        self._nested = 0

    def execute(self, statement: Any, parameters: Any = None) -> Any:
        """Execute a statement; a list of parameters executes it for each of them."""
        some = parameters if isinstance(parameters, list) else None
        if some is not None and not some:
            return self.execute_plainly(statement, parameters)
        found = _find(self.dialect, statement, some[0] if some else parameters, some is not None)
        if found is None:
            return self.execute_plainly(statement, parameters)
        try:
            if some is None:
                return self.run(found, found.order(parameters or {}))
            if len(some) == 1:
                return self.run(found, found.order(some[0]))
            return self.run_many(found, [found.order(one) for one in some])
        except sqlite3.Error as error:
            raise self.wrapped(error, found.text, parameters, sqlite3.Error) from error

    def run(self, statement: Prepared, ordered: Ordered) -> Any:
        """Execute what is prepared, with values in its order."""
        text, values = ordered
        cursor = self.driver.execute(text, values)
        return Rows(statement.read(cursor), cursor.rowcount, cursor.lastrowid)

    def run_many(self, statement: Prepared, ordered: Sequence[Ordered]) -> Any:
        """Execute what is prepared for each list of values."""
        cursor = self.driver.executemany(statement.text, [values for _, values in ordered])
        return Rows([], cursor.rowcount, None)

    def trust(self, answer: Any, count: int) -> None:
        """Go on as if *answer* had changed as many rows; it is looked at before the commit."""
        raise NotImplementedError

    def execute_plainly(self, statement: Any, parameters: Any = None) -> Any:
        """Execute through SQLAlchemy."""
        return self._plain.execute(statement, parameters)

    def command(self, text: str) -> None:
        """Execute a statement without parameters and rows."""
        self.driver.execute(text)

    def wrapped(self, error: Exception, text: str, parameters: Any, kind: type[Exception]) -> Any:
        """Return a driver's error as SQLAlchemy's."""
        return DBAPIError.instance(text, parameters, error, kind, dialect=self.dialect)

    def scalar(self, statement: Any, parameters: Any = None) -> Any:
        """Return the first column of the first row, None where there is no row."""
        return self.execute(statement, parameters).scalar()

    def scalars(self, statement: Any, parameters: Any = None) -> Any:
        """Return the first column of all rows."""
        return self.execute(statement, parameters).scalars()

    def exec_driver_sql(self, statement: str, parameters: Any = ()) -> Any:
        """Execute SQL as it is."""
        return self._plain.exec_driver_sql(statement, parameters)

    def begin_nested(self) -> Savepoint:
        """Begin a part of the transaction that may be undone alone."""
        self._nested += 1
        return Savepoint(self, f"nested{self._nested}")


class Savepoint:
    """A part of a transaction that may be undone alone."""

    def __init__(self, connection: PreparedConnection, name: str) -> None:
        self._connection = connection
        self._name = name
        connection.command(f"SAVEPOINT {name}")

    def commit(self) -> None:
        """Keep what was done since."""
        self._connection.command(f"RELEASE SAVEPOINT {self._name}")

    def rollback(self) -> None:
        """Undo what was done since."""
        self._connection.command(f"ROLLBACK TO SAVEPOINT {self._name}")
        self._connection.command(f"RELEASE SAVEPOINT {self._name}")

    def __enter__(self) -> Savepoint:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.commit() if kind is None else self.rollback()


def _find(dialect: Dialect, statement: Any, parameters: Any, is_many: bool) -> Prepared | None:
    key = dialect.name, id(statement)
    known = _KNOWN.get(key)
    if known is None:
        if _SEEN.pop(key, None) is not statement:
            if len(_SEEN) > _SEEN_MAX:
                _SEEN.clear()
            _SEEN[key] = statement
            return None
        known = _KNOWN[key] = (statement, {})
    names = tuple(parameters) if parameters else ()
    try:
        return known[1][names, is_many]
    except KeyError:
        known[1][names, is_many] = made = _prepare(dialect, statement, names, is_many=is_many)
        return made


def _prepare(
    dialect: Dialect, statement: Any, names: tuple[str, ...], *, is_many: bool
) -> Prepared | None:
    if not is_many and statement.is_insert and dialect.name != "sqlite":
        return None  # the new row's key is asked for
    positional = _positional(dialect)
    compiled = statement.compile(
        dialect=positional, column_keys=sorted(names) or None, for_executemany=is_many
    )
    if not isinstance(compiled, SQLCompiler):
        return None
    is_known = not (
        compiled.insert_prefetch
        or compiled.update_prefetch
        or compiled.literal_execute_params
        or (is_many and (compiled.effective_returning or compiled.post_compile_params))
    )
    return Prepared(compiled, positional) if is_known else None


@cache
def _positional(dialect: Dialect) -> Dialect:
    """Return the dialect with parameters by their place."""
    if dialect.positional:
        return dialect
    made = copy.copy(dialect)
    made.paramstyle, made.positional = "format", True
    return made


#: A statement's text for the driver, and the values of its parameters.
Ordered = tuple[str, list[Any]]
_Bind = Callable[[Mapping[str, Any]], Any]
#: A parameter's name and how its value is had; or a list's name, and what makes values of its.
_Place = tuple[str, _Bind | None, Any]


class Prepared:
    """One statement, ready for the driver."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self.text = str(compiled)
        self._compiled = compiled
        lists = [compiled.bind_names[one] for one in compiled.post_compile_params]
        self._lists = {name: self._bind(name, None) for name in lists}
        self._by_lengths: dict[tuple[int, ...], tuple[str, list[_Place]]] = {}
        self._binds = [] if self._lists else self._plain_binds(compiled.positiontup or ())
        columns = compiled._result_columns
        #: Makes a row of a sequence; None: the statement gives no rows.
        self.row = _row_class(tuple(str(one.keyname) for one in columns)) if columns else None
        processors = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ]
        self._processed = [(place, one) for place, one in enumerate(processors) if one is not None]

    def order(self, parameters: Mapping[str, Any]) -> Ordered:
        """Return the text, and the values in the order in which it has them."""
        if self._lists:
            return self._spread(parameters)
        return self.text, [bind(parameters) for bind in self._binds]

    def read(self, found: Any) -> list[Any]:
        """Make rows of what the driver gives."""
        if self.row is None:
            return []
        make = self.row._make
        if not self._processed:
            return [make(row) for row in found]
        rows = []
        for row in found:
            values = list(row)
            for place, process in self._processed:
                values[place] = process(values[place])
            rows.append(make(values))
        return rows

    def _plain_binds(self, names: Sequence[str]) -> list[_Bind]:
        return [self._bind(name, self._compiled._bind_processors.get(name)) for name in names]

    def _bind(self, name: str, process: Any) -> _Bind:
        bound = self._compiled.binds[name]
        key, fixed, is_required = bound.key, bound.effective_value, bound.required

        def get(parameters: Mapping[str, Any]) -> Any:
            if key in parameters:
                value = parameters[key]
            elif name in parameters:
                value = parameters[name]
            elif is_required:
                raise KeyError(f"no value for {key}")
            else:
                value = fixed
            return value if process is None else process(value)

        return get

    def _spread(self, parameters: Mapping[str, Any]) -> Ordered:
        """Return the text for lists of these lengths, and the values with those of the lists."""
        lists = {name: list(bind(parameters)) for name, bind in self._lists.items()}
        lengths = tuple(len(one) for one in lists.values())
        known = self._by_lengths.get(lengths)
        if known is None:
            if len(self._by_lengths) >= _LENGTHS_MAX:
                self._by_lengths.clear()
            known = self._by_lengths[lengths] = self._expand(parameters)
        text, places = known
        values = []
        for name, bind, process in places:
            if bind is not None:
                values.append(bind(parameters))
            elif process is None:
                values.extend(lists[name])
            else:
                values.extend([process(one) for one in lists[name]])
        return text, values

    def _expand(self, parameters: Mapping[str, Any]) -> tuple[str, list[_Place]]:
        state = self._compiled.construct_expanded_state(dict(parameters))
        first = {some[0]: name for name, some in state.parameter_expansion.items() if some}
        others = {one for some in state.parameter_expansion.values() for one in some[1:]}
        places: list[_Place] = []
        for name in state.positiontup or ():
            if name in first:
                places.append((first[name], None, state.processors.get(name)))
            elif name not in others:
                process = self._compiled._bind_processors.get(name)
                places.append((name, self._bind(name, process), None))
        return state.statement, places


@cache
def _row_class(names: tuple[str, ...]) -> Any:
    make: Any = namedtuple  # mypy wants names that are written out
    made = make("row", names, rename=True)
    made._mapping = property(lambda self: dict(zip(names, self, strict=True)))
    return made


class Rows:
    """Rows that were all read, with the words of SQLAlchemy's result."""

    def __init__(self, rows: list[Any], rowcount: int, last_id: int | None) -> None:
        self._rows = rows
        self.rowcount = rowcount
        self.inserted_primary_key = (last_id,)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        """Return all rows."""
        return self._rows

    fetchall = tuples = all

    def first(self) -> Any:
        """Return the first row, None where there is none."""
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Any:
        """Return the only row, None where there is none."""
        if len(self._rows) > 1:
            raise MultipleResultsFound
        return self.first()

    def one(self) -> Any:
        """Return the only row."""
        if not self._rows:
            raise NoResultFound
        return self.one_or_none()

    def scalar(self) -> Any:
        """Return the first column of the first row, None where there is no row."""
        return self._rows[0][0] if self._rows else None

    def scalar_one_or_none(self) -> Any:
        """Return the first column of the only row, None where there is none."""
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        """Return the first column of the only row."""
        return self.one()[0]

    def scalars(self) -> Rows:
        """Return the first column of all rows."""
        return Rows([row[0] for row in self._rows], self.rowcount, None)

    def mappings(self) -> Rows:
        """Return all rows as dicts."""
        return Rows([row._mapping for row in self._rows], self.rowcount, None)
