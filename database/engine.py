"""Connections to the metadata database, and what a transaction is.

SQLite: WAL, synchronous=FULL (a claim is durable before user code starts), foreign keys on. The
driver's own transaction handling is off: writers begin with BEGIN IMMEDIATE, so that none of
them finds out in the middle that another one writes. Writers take fair turns
(``sqlite_turns.py``).

PostgreSQL: READ COMMITTED for writers, one snapshot for readers; who waits for whom is told by
``locking.py``, and how one connects by ``postgresql.py``.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool, StaticPool

from .caller import sees_less
from .change_mark import ChangeMark
from .errors import DatabaseBusy, DatabaseError, DatabaseGone
from .file_identity import FileIdentity
from .locking import Locking
from .pool_settings import PoolSettings
from .prepared import prepared
from .sqlite_turns import BUSY_TIMEOUT_S, Turns, is_lock_text

#: What texts call the setting that names the database.
SETTING = "[database] sql_alchemy_conn"

#: Between two tries to open a database that another program keeps to itself.
BUSY_PAUSE_S = 0.05
#: How long a command waits in all: another program's lock of a minute only delays it.
BUSY_TOTAL_S = 75.0
#: How long a service waits. Its loop has leases and deadlines to keep, and comes back by itself.
SERVICE_BUSY_TOTAL_S = 5.0


def parse_url(url: str) -> URL:
    """Read a database URL. SQLite, and PostgreSQL by whatever driver's name, are known.

    Raises:
        DatabaseError: it cannot be read, or names another kind of database.
    """
    try:
        parsed = make_url(url)
        backend = parsed.drivername.partition("+")[0]
    except (ArgumentError, ValueError) as error:  # its text would show a password
        raise DatabaseError(
            f"{SETTING} cannot be read as a database URL. Write"
            " postgresql://USER:PASSWORD@HOST:PORT/NAME or sqlite:////PATH; in a password, @ is"
            " %40, / is %2F, and % is %25."
        ) from error
    if backend in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise DatabaseError(f"{SETTING} names {backend!r}; use sqlite or postgresql.")
    if parsed.database:  # SQLAlchemy before 2.1 leaves %3F as it is
        parsed = parsed.set(database=unquote(url.partition("///")[2].partition("?")[0]))
    return parsed.set(drivername="sqlite")


def is_sqlite(url: str) -> bool:
    """Tell whether a database URL names SQLite, which has one writer, and one scheduler.

    Raises:
        DatabaseError: it cannot be read, or names another kind of database.
    """
    return parse_url(url).get_backend_name() == "sqlite"


class Database:
    """One metadata database: ``read()`` and ``write()`` give a connection inside a transaction.

    Safe to use from several threads; not to be carried across a fork.
    """

    def __init__(self, url: str, pools: PoolSettings | None = None) -> None:
        """Prepare; nothing is opened before the first transaction.

        Args:
            pools: of connections to PostgreSQL; None: the defaults.

        Raises:
            DatabaseError: the URL cannot be used.
            ConfigurationError: a setting of the pool cannot.
        """
        self.pools = pools or PoolSettings()
        self.url = parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.is_in_memory = self.is_sqlite and self.url.database in (None, "", ":memory:")
        try:
            if self.is_sqlite:
                self.engine = _create_engine(self.url, is_in_memory=self.is_in_memory)
            else:
                from . import postgresql

                self.engine = postgresql.make_engine(self.url, self.pools)
        except (NoSuchModuleError, ImportError) as error:
            raise DatabaseError(
                f"{SETTING} names PostgreSQL, but its driver is not installed: "
                "pip install 'tradewind[postgres]'"
            ) from error
        self._readers = (
            self.engine
            if self.is_sqlite
            else self.engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        )
        #: How long a wait for another program's lock on SQLite may last.
        self.busy_total_s = BUSY_TOTAL_S
        # In memory there is one connection for all threads.
        self._turn = threading.RLock()
        self._turns = Turns(self.url.database or "") if self.is_sqlite else None
        self._file: FileIdentity | None = None
        self._mark: ChangeMark | None = None
        if self.is_sqlite and not self.is_in_memory:
            file = self._file = FileIdentity(Path(self.url.database or "").absolute())
            event.listen(self.engine, "connect", lambda *_: file.note())
            self._mark = ChangeMark(file.path, file)
        #: What is done when the database's file was deleted, replaced or damaged under us.
        self.on_file_gone: Callable[[DatabaseGone], None] = _refuse

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        if self._mark is not None:
            self._mark.close()
        if self._file is not None:  # without us the log may be removed: its last user does so
            self._file.forget()
        if self._turns is not None:
            self._turns.close()

    def change_mark(self) -> Hashable | None:
        """Return a value that is another one once anybody has committed; None: it is not known."""
        return None if self._mark is None else self._mark.look()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the database, and writes nothing.

        Rows of DAGs that the caller may not see are left out (``caller``).
        """
        is_cut = sees_less()
        if is_cut:
            from .row_cuts import enforce

            enforce(self.engine)
        if not self.is_sqlite:
            with self._server_transaction(self._readers, Locking.NONE) as connection:
                yield connection.execution_options(is_cut=True) if is_cut else connection
            return
        turn = self._turn if self.is_in_memory else nullcontext()
        with turn, self._transaction("BEGIN") as connection:
            yield connection.execution_options(is_cut=True) if is_cut else connection

    @contextmanager
    def write(self, locking: Locking = Locking.ALL) -> Iterator[Connection]:
        """Give a connection whose changes are committed at the end, or not at all.

        Never compute much, render or wait inside: other writers wait meanwhile.

        Args:
            locking: what others may not do meanwhile. On SQLite there is one writer in any case.

        Raises:
            DatabaseBusy: the lock could not be had in ``busy_total_s``.
            DatabaseAway: the server cannot be reached, or takes no writes just now.
        """
        if not self.is_sqlite:
            with self._server_transaction(self.engine, locking) as connection:
                yield connection
            return
        with self._turn:  # threads of one process take turns here, without polling
            turns = None if self.is_in_memory else self._turns
            if turns is not None:
                turns.let_others_go_first()
            try:
                with self._transaction("BEGIN IMMEDIATE") as connection:
                    yield connection
            finally:
                if turns is not None:
                    turns.ended()

    @contextmanager
    def write_shortly(self, locking: Locking, *, is_trusting: bool = False) -> Iterator[Connection]:
        """``write`` with statements on a shorter way, for what is done once a task.

        Args:
            is_trusting: see ``prepared``.

        Raises:
            LostRace: it was trusting, and has to be done again without.
        """
        if self.is_sqlite:
            with self.write(locking) as connection, prepared(connection) as shorter:
                yield shorter
            return
        way = partial(prepared, is_trusting=is_trusting)
        with self._server_transaction(self.engine, locking, way) as connection:
            yield connection

    @contextmanager
    def _server_transaction(
        self,
        engine: Engine,
        locking: Locking,
        way: Callable[[Connection], AbstractContextManager[Connection]] = nullcontext,
    ) -> Iterator[Connection]:
        from . import postgresql

        try:
            with engine.connect() as connection:
                with way(connection) as chosen:
                    postgresql.take_locks(chosen, locking)
                    yield chosen
                connection.commit()
        except (DBAPIError, PoolTimeout) as error:
            refused = postgresql.refusal(error, SETTING)
            if refused is None:
                raise
            raise refused from error

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        with self._open(begin) as connection:
            try:
                yield connection
                connection.commit()
            except OperationalError as error:
                connection.rollback()
                if is_busy(error):  # a reader's first look, where another program holds all
                    raise DatabaseBusy(_kept_locked(BUSY_TIMEOUT_S)) from error
                raise
            except BaseException as error:
                connection.rollback()
                self._check_damage(error)
                raise

    def _open(self, begin: str) -> Connection:
        """Connect and begin; wait while somebody else holds SQLite's lock."""
        deadline = time.monotonic() + self.busy_total_s
        while True:
            connection: Connection | None = None
            try:
                connection = self.engine.connect()
                if self._has_begun(connection, begin, deadline - time.monotonic()):
                    self._check_file()
                    return connection
                raise DatabaseBusy(_kept_locked(self.busy_total_s))
            except BaseException as error:
                if connection is not None:
                    connection.close()
                # SQLite calls an emptied file locked; without its log, writing is an I/O error.
                self._check_file()
                self._check_damage(error)
                if not (isinstance(error, OperationalError) and is_busy(error)):
                    raise
                if time.monotonic() > deadline:
                    raise DatabaseBusy(_kept_locked(self.busy_total_s)) from error
                time.sleep(BUSY_PAUSE_S)

    def _check_damage(self, error: BaseException) -> None:
        """Stop using a file whose pages contradict each other: each write makes it worse."""
        if self._file is not None and isinstance(error, DBAPIError) and _is_damage(error):
            self.on_file_gone(
                DatabaseGone(
                    f"The database {self._file.path} is damaged ({error.orig}). Stop all that uses"
                    " it and put a backup in its place; `sqlite3 FILE .recover` may save rows."
                )
            )

    def _check_file(self) -> None:
        """Write nothing into a file that nobody will find."""
        if self._file is not None and self._file.is_gone():
            self.on_file_gone(
                DatabaseGone(
                    f"The database {self._file.path} (or the -wal beside it) was deleted, emptied"
                    " or replaced while it was in use. Put it back, and start what used it again."
                )
            )

    def _has_begun(self, connection: Connection, begin: str, timeout_s: float) -> bool:
        if begin != "BEGIN IMMEDIATE" or self.is_in_memory or self._turns is None:
            connection.exec_driver_sql(begin)
            return True
        driver: Any = connection.connection.driver_connection
        try:
            return self._turns.begin(driver, timeout_s)
        except sqlite3.Error as error:
            raise OperationalError(begin, {}, error) from error


def _is_damage(error: DBAPIError) -> bool:
    return "malformed" in str(error.orig)


def _refuse(error: DatabaseGone) -> None:
    raise error


def _kept_locked(seconds: float) -> str:
    return (
        f"Another program has kept the database locked for more than {seconds:g} s."
        " Close it (a database browser? a backup?) and try again."
    )


def is_busy(error: OperationalError) -> bool:
    """Tell whether SQLite refused because somebody else holds a lock."""
    return is_lock_text(str(error.orig))


def _create_engine(url: URL, *, is_in_memory: bool) -> Engine:
    arguments: dict[str, Any] = {
        "isolation_level": None,  # transactions are ours: see the head of this file
        "timeout": BUSY_TIMEOUT_S,
        "check_same_thread": False,
    }
    if is_in_memory:
        engine = create_engine(url, poolclass=StaticPool, connect_args=arguments)
    else:
        engine = create_engine(
            url, poolclass=QueuePool, pool_size=5, max_overflow=20, connect_args=arguments
        )
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(dbapi_connection: Any, _record: Any) -> None:
    cursor = dbapi_connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-16000",
        "journal_size_limit=67108864",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
