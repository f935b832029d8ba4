"""The schema of the metadata database: made, brought up to date, waited for, deleted."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from ..database.errors import DatabaseError
from ..sdk.configuration import conf

POLL_S = 1.0


def database_name() -> str:
    """Return the database's URL without its password."""
    return re.sub(r"//([^:/@]*):[^@/]*@", r"//\1:***@", conf.get("database", "sql_alchemy_conn"))


def check_connection(*, retries: int = 0, delay_s: float = 1.0) -> None:
    """Connect once, or again *retries* times with *delay_s* seconds between.

    Raises:
        DatabaseError: it did not answer.
    """
    from ..database.engine import Database
    from ..database.migrate import leave_airflows_database, read_revision

    leave_airflows_database()
    database = Database(conf.get("database", "sql_alchemy_conn"))
    is_file = database.is_sqlite and not database.is_in_memory
    if is_file and not Path(database.url.database or "").exists():
        return  # nothing to connect to; ``db migrate`` makes it, and opening must not
    try:
        _retry(lambda: read_revision(database), retries, delay_s)
    finally:
        database.close()


def migrate_database() -> str:
    """Create the database's tables, or bring them up to date; say what was done.

    Where a database was deleted this makes an empty one: it is what the command is for.

    Raises:
        DatabaseError: it cannot be reached, or it is Airflow's own.
    """
    from ..database.migrate import leave_airflows_database, migrate

    leave_airflows_database()
    return migrate()


def require_database() -> None:
    """Make a missing SQLite database, and make sure that the tables are those of this release.

    Raises:
        DatabaseError: they are not; the text says what to do.
    """
    from ..database.migrate import check, create_missing_database

    create_missing_database()
    check()


def downgrade_database(revision: str) -> str:
    """Go back to the schema of an older release; say what was done.

    Raises:
        DatabaseError: there is no such revision, or the database cannot be used.
    """
    from ..database.migrate import downgrade, leave_airflows_database

    leave_airflows_database()
    return downgrade(revision)


def shell_command() -> tuple[str, list[str], dict[str, str]]:
    """Return program, arguments and environment of the database's own command line.

    Raises:
        DatabaseError: the setting cannot be read as a database URL.
    """
    from ..database.engine import parse_url

    url = parse_url(conf.get("database", "sql_alchemy_conn"))
    if url.get_backend_name() == "sqlite":
        return "sqlite3", [url.database or ":memory:"], {}
    # A password among the arguments would be seen by everybody on the machine.
    variables = {"PGPASSWORD": str(url.password)} if url.password else {}
    bare = url.set(drivername="postgresql", password=None)
    return "psql", [bare.render_as_string(hide_password=False)], variables


def reset_database(*, is_created_again: bool) -> None:
    """Delete every table, and make them anew where *is_created_again*.

    Raises:
        DatabaseError: it cannot be reached, or it is Airflow's own.
    """
    from ..database.migrate import leave_airflows_database, reset

    leave_airflows_database()
    reset(is_created_again=is_created_again)


def wait_for_schema(*, timeout_s: float) -> None:
    """Wait until the tables are those of this release.

    Raises:
        DatabaseError: they were not after *timeout_s* seconds.
    """
    from ..database.migrate import check, leave_airflows_database

    leave_airflows_database()
    _retry(check, int(timeout_s / POLL_S), POLL_S)


def _retry(attempt: Callable[[], object], retries: int, delay_s: float) -> None:
    for is_last in [False] * retries + [True]:
        try:
            attempt()
        except DatabaseError:
            if is_last:
                raise
            time.sleep(delay_s)
        else:
            return
