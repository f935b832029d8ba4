"""What is PostgreSQL's own: how to connect, what a transaction locks, what an error means.

Connections notice in 15 s that the other side has vanished (keep-alive 5/2/3), and the server
ends a transaction that sleeps for more than 10 s: nobody keeps others waiting by being stopped.
"""

from __future__ import annotations

import importlib
import json
import select
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from ..sdk.errors import ConfigurationError
from .errors import DatabaseAway, DatabaseError
from .locking import Locking
from .pool_settings import PoolSettings
from .tables.base import complete_indexes

if TYPE_CHECKING:
    from .engine import Database

#: One lock of a database that all transactions of Tradewind in it agree on ("TWND" in ASCII).
LOCK_KEY: Final = 0x54574E44
#: The one parser that is at work.
PARSER_KEY: Final = LOCK_KEY + 2

#: In what SQLAlchemy keeps beside a connection: texts that were prepared there, and their names.
PREPARED: Final = "tradewind: prepared"

#: How long one transaction may wait for another's locks before it begins anew.
LOCK_TIMEOUT_S: Final = 30
#: How long a transaction may do nothing at all before the server ends it.
IDLE_TIMEOUT_S: Final = 10
CONNECT_TIMEOUT_S: Final = 5

_TAKE: Final = {
    Locking.ALL: text(f"SELECT pg_advisory_xact_lock({LOCK_KEY})"),
    Locking.ROWS: text(f"SELECT pg_advisory_xact_lock_shared({LOCK_KEY})"),
}

#: SQLSTATE of errors that the driver does not count among the operational ones, though they pass
#: by themselves: a read-only server (a replica that is being promoted), a session that the server
#: ended for being idle in a transaction.
_PASSING: Final = frozenset({"25006", "25P03"})
_NO_RIGHTS: Final = "42501"


def make_engine(url: URL, settings: PoolSettings) -> Engine:
    """Return an engine; nothing is connected before its first use.

    Raises:
        ConfigurationError: [database] sql_alchemy_connect_args or _engine_args is not usable.
    """
    complete_indexes()
    arguments: dict[str, Any] = {"connect_args": connect_arguments(url, settings)}
    if settings.is_enabled:
        arguments |= {
            "pool_size": settings.size,
            "max_overflow": settings.overflow,
            "pool_recycle": settings.recycle_s,
            "pool_timeout": 30,
        }
    else:
        arguments["poolclass"] = NullPool
    arguments |= _from_setting("sql_alchemy_engine_args", settings.engine_args)
    engine = create_engine(url, **arguments)
    if settings.is_tested_before_use:
        event.listen(engine, "checkout", _refuse_closed)
    event.listen(engine, "rollback", _forget_prepared)
    event.listen(engine, "rollback_savepoint", _forget_prepared)
    return engine


def connect_arguments(url: URL, settings: PoolSettings) -> dict[str, Any]:
    """Return what libpq is told beside the URL, whose own parameters have precedence."""
    options = [
        f"-c idle_in_transaction_session_timeout={IDLE_TIMEOUT_S * 1000}",
        f"-c lock_timeout={LOCK_TIMEOUT_S * 1000}",
        "-c timezone=UTC",
    ]
    if settings.schema:
        options.append(f"-c search_path={settings.schema}")
    if "options" in url.query:
        options.append(str(url.query["options"]))
    ours: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "keepalives": 1,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 15_000,
        "application_name": settings.application_name,
        "options": " ".join(options),
    }
    arguments = {
        name: value for name, value in ours.items() if name == "options" or name not in url.query
    }
    return arguments | _from_setting("sql_alchemy_connect_args", settings.connect_args)


def _from_setting(name: str, value: str) -> dict[str, Any]:
    """Return the dict that a setting holds as JSON, or names by import path."""
    if not value:
        return {}
    try:
        if value.lstrip().startswith("{"):
            found: Any = json.loads(value)
        else:
            module, _, attribute = value.rpartition(".")
            found = getattr(importlib.import_module(module), attribute)
        if not isinstance(found, Mapping):
            raise TypeError("it is no dict")
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ConfigurationError(f"[database] {name} cannot be used: {error}") from error
    return dict(found)


def connection_text(database: Database) -> bytes:
    """Return what libpq needs to connect as the pool's connections do."""
    from psycopg.conninfo import make_conninfo

    _, arguments = database.engine.dialect.create_connect_args(database.url)
    arguments = {**arguments, **connect_arguments(database.url, database.pools)}
    arguments.pop("context", None)
    return make_conninfo(**arguments).encode()


def take_locks(connection: Connection, locking: Locking) -> None:
    """Wait until this transaction may go on; what it takes falls with its end, however it ends."""
    statement = _TAKE.get(locking)
    if statement is not None:
        connection.execute(statement)


def refusal(error: DBAPIError | PoolTimeout, setting: str) -> DatabaseError | None:
    """Return what an error says about the server, as one line; None: it is about a statement.

    Args:
        setting: what the text calls the setting that names the database.
    """
    if isinstance(error, PoolTimeout):
        return DatabaseAway(
            "All connections of this process to the database are in use: raise [database]"
            " sql_alchemy_pool_size."
        )
    state = getattr(error.orig, "sqlstate", None)
    said = " ".join(str(error.orig).removeprefix("connection failed: ").split())
    if state == _NO_RIGHTS:
        return DatabaseError(f"{setting}: its user lacks a right in the database: {said}")
    if state in _PASSING or isinstance(error, (OperationalError, InterfaceError)):
        return DatabaseAway(f"{setting}: the database cannot be used now: {said}")
    if error.statement is None and state is None:  # never connected: by what the URL says
        return DatabaseError(f"{setting} cannot be used: {said}")
    return None


def is_closed(dbapi_connection: Any) -> bool:
    """Tell whether the server has closed an idle connection, without asking the server.

    An idle connection has nothing to read; one that the server has closed has its last words.
    """
    if dbapi_connection.closed:
        return True
    poller = select.poll()
    poller.register(dbapi_connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))


def _forget_prepared(connection: Connection, *_: object) -> None:
    """Forget what was prepared: psycopg deallocates all statements after it rolled back."""
    if connection.invalidated:
        return
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status:  # else there is nothing to roll back (0: idle)
        connection.info.pop(PREPARED, None)


def _refuse_closed(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """Let go of a pooled connection that is closed.

    Raises:
        InvalidatePoolError: it is, so the others of the pool are, too: they come from the same
            server.
    """
    if is_closed(dbapi_connection):
        raise InvalidatePoolError("the server has closed the connection")
