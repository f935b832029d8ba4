"""The schema of the metadata database: made, brought up to date, waited for, deleted."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

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
    from ..database.migrate import check_answers

    _retry(lambda: check_answers(conf.get("database", "sql_alchemy_conn")), retries, delay_s)


def migrate_database() -> None:
    """Create the database's tables, or bring them up to date.

    Raises:
        DatabaseError: it cannot be reached, or it is Airflow's own.
    """
    from ..database.migrate import migrate

    migrate(conf.get("database", "sql_alchemy_conn"))


def reset_database(*, is_created_again: bool) -> None:
    """Delete every table, and make them anew where *is_created_again*.

    Raises:
        DatabaseError: it cannot be reached, or it is Airflow's own.
    """
    from ..database.migrate import drop_everything, migrate

    url = conf.get("database", "sql_alchemy_conn")
    drop_everything(url)
    if is_created_again:
        migrate(url)


def wait_for_schema(*, timeout_s: float) -> None:
    """Wait until the tables are those of this release.

    Raises:
        DatabaseError: they were not after *timeout_s* seconds.
    """
    from ..database.migrate import check

    url = conf.get("database", "sql_alchemy_conn")
    _retry(lambda: check(url), int(timeout_s / POLL_S), POLL_S)


def _retry(attempt: Callable[[], None], retries: int, delay_s: float) -> None:
    for is_last in [False] * retries + [True]:
        try:
            return attempt()
        except DatabaseError:
            if is_last:
                raise
            time.sleep(delay_s)
    return None
