"""SQLite in memory for simulated worlds: all of the product's statements on its shorter way.

What the product does for what is done once a task (``database/prepared.py``) is done for
everything here. Tables are copied from a database that is made once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from tradewind.database.migrate import create_tables
from tradewind.database.prepared import PreparedConnection
from tradewind.database.settings import StoreSettings
from tradewind.database.store import Store
from tradewind.sdk.clock import Clock

_DIALECT = SQLiteDialect_pysqlite(paramstyle="qmark")
#: What SQLAlchemy compiled for the worlds before.
_COMPILED: dict[Any, Any] = {}


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


class QuickConnection(PreparedConnection):
    """What the store gets as its connection: the one of a database in memory."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.driver: sqlite3.Connection
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

    def execution_options(self, **_options: Any) -> QuickConnection:
        return self

    def execute(self, statement: Any, parameters: Any = None) -> Any:
        if self.on_statement is not None and parameters != []:
            self._tell(statement, parameters[0] if isinstance(parameters, list) else parameters)
        return super().execute(statement, parameters)

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
