"""SQLite in memory for simulated worlds: the product's statements on a shorter way.

What runs is what the store built: its statements, compiled by SQLAlchemy for SQLite, with the
types' own conversions both ways. Only what SQLAlchemy does anew at each execution (a cache key, a
context, a cursor's description, a result) is done once for each statement and kept for all worlds.
Statements that are built at each call, and whatever this way does not know, go through SQLAlchemy.
Tables are copied from a database that is made once.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound
from sqlalchemy.sql.compiler import SQLCompiler
from tradewind.database.migrate import create_tables
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.sdk.clock import Clock

_DIALECT = SQLiteDialect_pysqlite(paramstyle="qmark")
#: What SQLAlchemy compiled for the worlds before.
_COMPILED: dict[Any, Any] = {}
#: By a statement's identity: itself (so that no other takes its place), and what was compiled.
_KNOWN: dict[int, tuple[Any, dict[Any, Quick | None]]] = {}
_SEEN: dict[int, Any] = {}
_SEEN_MAX = 2000


def open_store(settings: StoreSettings, clock: Clock) -> Store:
    """Return the real store on a new database in memory."""
    store = Store(replace(settings, url="sqlite://", home=None), clock)
    database = store.database
    engine = database.engine.execution_options(compiled_cache=_COMPILED)
    connection = QuickConnection(engine.connect())
    _template(settings.default_pool_slots).backup(connection.driver)
    database.read = connection.reading  # type: ignore[method-assign]
    database.write = connection.writing  # type: ignore[assignment, method-assign]
    # One connection for all: whoever changes a row changes this number.
    database.change_mark = lambda: connection.driver.total_changes  # type: ignore[method-assign]
    return store


def connection_of(store: Store) -> QuickConnection:
    """Return the one connection of a simulated store."""
    with store.database.read() as connection:
        assert isinstance(connection, QuickConnection)
        return connection


@cache
def _template(default_pool_slots: int) -> sqlite3.Connection:
    """Return an empty database with all tables."""
    settings = StoreSettings(url="sqlite://", default_pool_slots=default_pool_slots)
    store = Store(settings)
    with store.database.write() as connection:
        create_tables(connection, settings)
    made = sqlite3.connect(":memory:", check_same_thread=False)
    with store.database.read() as connection:
        driver: Any = connection.connection.driver_connection
        connection.rollback()
        driver.backup(made)
    return made


class QuickConnection:
    """What the store gets as its connection: the one of a database in memory."""

    dialect = _DIALECT

    def __init__(self, connection: Any) -> None:
        self._slow = connection
        self.driver: sqlite3.Connection = connection.connection.driver_connection
        self._nested = 0
        #: Is told each statement's text for SQLite, and values for its parameters.
        self.on_statement: Callable[[str, Sequence[Any]], object] | None = None
        self._reading = nullcontext(self)
        self._writing = Transaction(self)

    def reading(self) -> AbstractContextManager[QuickConnection]:
        """Nobody else can write meanwhile: a read needs no transaction of its own."""
        return self._reading

    def writing(self, _locking: object = None) -> AbstractContextManager[QuickConnection]:
        self.driver.execute("BEGIN IMMEDIATE")
        return self._writing

    def begin_nested(self) -> Savepoint:
        self._nested += 1
        return Savepoint(self.driver, f"nested{self._nested}")

    def exec_driver_sql(self, statement: str, parameters: Any = ()) -> Any:
        return self._slow.exec_driver_sql(statement, parameters)

    def execution_options(self, **_options: Any) -> QuickConnection:
        return self

    def scalar(self, statement: Any, parameters: Any = None) -> Any:
        return self.execute(statement, parameters).scalar()

    def scalars(self, statement: Any, parameters: Any = None) -> Any:
        return self.execute(statement, parameters).scalars()

    def execute(self, statement: Any, parameters: Any = None) -> Any:
        many = isinstance(parameters, list)
        if many and not parameters:
            return self._slow.execute(statement, parameters)
        quick = _quick(statement, parameters[0] if many else parameters, many=many)
        if self.on_statement is not None:
            self._tell(statement, parameters[0] if many else parameters)
        if quick is None:
            return self._slow.execute(statement, parameters)
        try:
            if many:
                return quick.execute_many(self.driver, parameters)
            return quick.execute(self.driver, parameters or {})
        except sqlite3.Error as error:
            raise DBAPIError.instance(
                quick.text, parameters, error, sqlite3.Error, dialect=_DIALECT
            ) from error

    def _tell(self, statement: Any, parameters: Any) -> None:
        assert self.on_statement is not None
        compiled = statement.compile(dialect=_DIALECT, column_keys=sorted(parameters or ()) or None)
        if compiled.post_compile_params:
            state = compiled.construct_expanded_state(parameters or {})
            self.on_statement(state.statement, state.positional_parameters)
        else:
            values = compiled.construct_params(parameters or {}, _check=False)
            self.on_statement(str(compiled), [values[one] for one in compiled.positiontup or ()])


class Transaction:
    """A transaction that has begun: committed at the end, or not at all."""

    def __init__(self, connection: QuickConnection) -> None:
        self._connection = connection

    def __enter__(self) -> QuickConnection:
        return self._connection

    def __exit__(self, kind: object, *_: object) -> None:
        self._connection.driver.execute("COMMIT" if kind is None else "ROLLBACK")


class Savepoint:
    """A part of a transaction that may be undone alone."""

    def __init__(self, driver: sqlite3.Connection, name: str) -> None:
        self._driver = driver
        self._name = name
        driver.execute(f"SAVEPOINT {name}")

    def commit(self) -> None:
        self._driver.execute(f"RELEASE {self._name}")

    def rollback(self) -> None:
        self._driver.execute(f"ROLLBACK TO {self._name}")
        self._driver.execute(f"RELEASE {self._name}")

    def __enter__(self) -> Savepoint:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.commit() if kind is None else self.rollback()


def _quick(statement: Any, parameters: Any, *, many: bool) -> Quick | None:
    known = _KNOWN.get(id(statement))
    if known is None:
        if _SEEN.pop(id(statement), None) is not statement:
            if len(_SEEN) > _SEEN_MAX:
                _SEEN.clear()
            _SEEN[id(statement)] = statement
            return None
        known = _KNOWN[id(statement)] = (statement, {})
    names = tuple(parameters) if parameters else ()
    kinds = known[1]
    try:
        return kinds[names, many]
    except KeyError:
        kinds[names, many] = made = _prepare(statement, names, many=many)
        return made


def _prepare(statement: Any, names: tuple[str, ...], *, many: bool) -> Quick | None:
    compiled: SQLCompiler = statement.compile(
        dialect=_DIALECT, column_keys=sorted(names) or None, for_executemany=many
    )
    is_known = not (
        compiled.insert_prefetch
        or compiled.update_prefetch
        or compiled.literal_execute_params
        or (many and (compiled.effective_returning or compiled.post_compile_params))
    )
    return Quick(compiled) if is_known else None


class Quick:
    """One statement, ready for the driver."""

    def __init__(self, compiled: SQLCompiler) -> None:
        self.text = str(compiled)
        self._compiled = compiled
        self._lists = [compiled.bind_names[one] for one in compiled.post_compile_params]
        self._by_lengths: dict[tuple[int, ...], tuple[str, list[_Bind]]] = {}
        self._binds = [] if self._lists else self._plain_binds(compiled.positiontup or ())
        columns = compiled._result_columns
        self._row = _row_class(tuple(str(one.keyname) for one in columns)) if columns else None
        processors = [
            column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
            for column in columns
        ]
        self._processed = [(place, one) for place, one in enumerate(processors) if one is not None]

    def execute(self, driver: sqlite3.Connection, parameters: dict[str, Any]) -> QuickResult:
        text, binds = self.text, self._binds
        if self._lists:
            text, binds = self._expanded(parameters)
        cursor = driver.execute(text, [bind(parameters) for bind in binds])
        return QuickResult(self._rows(cursor), cursor.rowcount, cursor.lastrowid)

    def execute_many(
        self, driver: sqlite3.Connection, some: Sequence[dict[str, Any]]
    ) -> QuickResult:
        rows = [[bind(parameters) for bind in self._binds] for parameters in some]
        cursor = driver.executemany(self.text, rows)
        return QuickResult([], cursor.rowcount, None)

    def _rows(self, cursor: sqlite3.Cursor) -> list[Any]:
        if self._row is None:
            return []
        make = self._row._make
        if not self._processed:
            return [make(row) for row in cursor]
        rows = []
        for row in cursor:
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

        def get(parameters: dict[str, Any]) -> Any:
            if key in parameters:
                value = parameters[key]
            elif name in parameters:
                value = parameters[name]
            else:
                assert not is_required, f"no value for {key}"
                value = fixed
            return value if process is None else process(value)

        return get

    def _expanded(self, parameters: dict[str, Any]) -> tuple[str, list[_Bind]]:
        """Return the text and the binds for lists of these lengths."""
        lists = [self._bind(name, None) for name in self._lists]
        lengths = tuple(len(get(parameters)) for get in lists)
        try:
            return self._by_lengths[lengths]
        except KeyError:
            pass
        state = self._compiled.construct_expanded_state(parameters)
        places = {
            one: (self._bind(name, None), place)
            for name, expanded in state.parameter_expansion.items()
            for place, one in enumerate(expanded)
        }
        binds: list[_Bind] = []
        for name in state.positiontup or ():
            process = state.processors.get(name)
            if name in places:
                binds.append(_item(*places[name], process))
            else:
                binds.append(self._bind(name, process))
        self._by_lengths[lengths] = made = (state.statement, binds)
        return made


_Bind = Callable[[dict[str, Any]], Any]


def _item(get: _Bind, place: int, process: Any) -> _Bind:
    if process is None:
        return lambda parameters: list(get(parameters))[place]
    return lambda parameters: process(list(get(parameters))[place])


@cache
def _row_class(names: tuple[str, ...]) -> Any:
    row = namedtuple("row", names, rename=True)  # type: ignore[misc]
    row._mapping = property(lambda self: dict(zip(names, self, strict=True)))
    return row


class QuickResult:
    """Rows that were all read."""

    def __init__(self, rows: list[Any], rowcount: int, lastrowid: int | None) -> None:
        self._rows = rows
        self.rowcount = rowcount
        self.inserted_primary_key = (lastrowid,)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        return self._rows

    fetchall = tuples = all

    def first(self) -> Any:
        return self._rows[0] if self._rows else None

    def one_or_none(self) -> Any:
        if len(self._rows) > 1:
            raise MultipleResultsFound
        return self.first()

    def one(self) -> Any:
        if not self._rows:
            raise NoResultFound
        return self.one_or_none()

    def scalar(self) -> Any:
        return self._rows[0][0] if self._rows else None

    def scalar_one_or_none(self) -> Any:
        row = self.one_or_none()
        return None if row is None else row[0]

    def scalar_one(self) -> Any:
        return self.one()[0]

    def scalars(self) -> QuickResult:
        return QuickResult([row[0] for row in self._rows], self.rowcount, None)

    def mappings(self) -> QuickResult:
        return QuickResult([row._mapping for row in self._rows], self.rowcount, None)
