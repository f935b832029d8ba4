"""A PostgreSQL for benchmarks: the tests' server, with the settings of a real one."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from deployment import Deployment

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "servers"))

from postgresql_server import Databases, PostgresqlServer

#: Commits are on disk when they return, as in earnest.
DURABLE = {"fsync": "", "synchronous_commit": "", "full_page_writes": ""}
#: Each of these lines of the server's log is one statement that a client sent.
SENT = ("LOG:  statement:", "LOG:  execute")


class CountingServer(PostgresqlServer):
    """Counts the statements that it gets while it is asked to."""

    def count_from_now(self) -> None:
        """Begin to count; it costs the server time, so that nothing is timed meanwhile."""
        self._set("all")
        self._counted_from = self.log_path.stat().st_size

    def counted(self) -> int:
        """Stop counting; return how many statements there were."""
        self._set("none")
        with self.log_path.open(errors="replace") as log:
            log.seek(self._counted_from)
            return sum(1 for line in log if any(word in line for word in SENT))

    def _set(self, level: str) -> None:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET log_statement = '{level}'")
            connection.execute("SELECT pg_reload_conf()")


@contextlib.contextmanager
def postgresql_for_deployments() -> Iterator[CountingServer]:
    """Give each ``Deployment`` that is made meanwhile a database of its own on one server."""
    server = CountingServer(DURABLE)
    try:
        server.start()
        databases = Databases(server.url)
        Deployment.make_database = staticmethod(databases.create)
        yield server
    finally:
        Deployment.make_database = None
        server.close()
