"""The connections that all services together may open, beside what PostgreSQL allows.

Asserted when a service starts: a cluster that would run out of connections under load says so
before it has any (``reliability.md`` R9, section 3).
"""

from __future__ import annotations

import logging

from sqlalchemy import text

from .engine import SETTING, Database
from .errors import DatabaseError

log = logging.getLogger(__name__)

_LIMITS = text(
    "SELECT name, setting::int FROM pg_settings WHERE name IN"
    " ('max_connections', 'superuser_reserved_connections', 'reserved_connections')"
)
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


def check_budget(database: Database, largest_pool: int) -> None:
    """Make sure that the server has room for this service; warn where it is nearly full.

    Args:
        largest_pool: connections that a process with several threads (the page) may open.

    Raises:
        DatabaseError: it could never have so many connections as the settings allow.
    """
    with database.read() as connection:
        limits = {row.name: int(row.setting) for row in connection.execute(_LIMITS)}
        others = int(connection.execute(_OTHERS).scalar_one())
    usable = 2 * limits["max_connections"] - sum(limits.values())
    wanted = database.pools.connections_max
    if largest_pool > usable:
        raise DatabaseError(
            f"[database] sql_alchemy_pool_size and sql_alchemy_max_overflow let one process open "
            f"{largest_pool} connections, but the server of {SETTING} allows {usable} to all "
            "(max_connections): lower them, or raise that."
        )
    if others + wanted > usable:
        log.warning(
            "the database server allows %d connections, %d are open, and this service may open %d"
            " more: raise max_connections, or lower [database] sql_alchemy_pool_size",
            usable,
            others,
            wanted,
        )
